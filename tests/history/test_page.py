"""The page of a history works in a browser, in both colour schemes and on a phone, and is accessible."""

import histories
import pytest
from browsing import DESK, PHONE, axe, browser, scheme, visit

from autoenc_bench.history import page as pages
from autoenc_bench.history.history import read_history

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Write the page of two machines, the first of which slows down and changes its context, and of a broken file."""
    folder = tmp_path_factory.mktemp("records")
    later = [histories.content(20 + day, 0.25, keras="3.2") for day in range(2)]
    others = [histories.content(day + 0.5, 0.6, error=5.02, machine=histories.OTHER) for day in range(12)]
    histories.write(folder, [*histories.slower(), *later, *others])
    (folder / "package.json").write_text("{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        return pages.write(read_history([folder]), folder / "out")


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def page(request, browser, made, scheme):  # a fixture's name is its parameter's
    """Open the page on a desktop and on a phone, light and dark."""
    with visit(browser, made, color_scheme=scheme, viewport=request.param) as page:
        yield page


def test_what_is_on_the_page(page):
    """The page has changes, machines, pairs of machines, a figure, all series and the unreadable file."""
    headings = page.locator("h2").all_inner_texts()
    assert headings == [
        "Changes, newest first",
        "The machines",
        "Machines side by side",
        "Timelines",
        "All series",
        "Not readable",
    ]
    assert page.locator("#changes tbody tr").count() >= 3
    assert page.locator("#sides-1 tbody tr").count() == 2
    assert page.locator("#series-1 tbody tr").count() == 6
    assert "package.json" in page.get_by_label("Records that could not be read").inner_text()


def test_pictures(page):
    """Every figure is drawn and has an alternative text."""
    images = page.evaluate("[...document.images].map(image => [image.naturalWidth, image.alt])")
    assert len(images) == 1
    assert all(width > 100 and len(words) > 60 and words.endswith(".") for width, words in images)


def test_no_horizontal_overflow(page):
    """The page is no wider than its window."""
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_accessible(page):
    """The accessibility checker finds no serious violation."""
    found = axe.Axe().run(page).response["violations"]
    serious = [
        (rule["id"], rule["nodes"][0]["html"][:200]) for rule in found if rule["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_changes_sort_by_size(browser, made):  # a fixture's name is its parameter's
    """A click on a heading sorts changes by their size, not by their text."""
    with visit(browser, made, viewport=DESK) as page:
        page.locator("#changes thead th", has_text="change").first.locator("button").click()
        rows = "[...document.getElementById('changes').tBodies[0].rows]"
        sizes = [float(text.split()[0]) for text in page.evaluate(f"{rows}.map(row => row.cells[4].innerText)")]
    assert sizes == sorted(sizes)
