"""The page in a browser is self-contained, sortable and accessible, in both colour schemes and on a phone."""

import msgspec
import pytest
import recordings
from browsing import DESK, PHONE, axe, browser, visit

from autoenc_bench.report import page as report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["light", "dark"])
def scheme(request):
    """Return a colour scheme, for all tests of a page that is opened once."""
    return request.param


@pytest.fixture(scope="module")
def page(browser, written, scheme):
    """Open the page on a phone in light colours and on a desk in dark ones."""
    with visit(browser, written.page, color_scheme=scheme, viewport={"light": PHONE, "dark": DESK}[scheme]) as page:
        yield page


@pytest.fixture
def desk(browser, written):
    """Open the page on a desk."""
    with visit(browser, written.page, viewport=DESK) as page:
        yield page


def test_pictures(page):
    """Every picture is drawn and has its own alternative text."""
    images = page.evaluate("[...document.images].map(image => [image.naturalWidth, image.alt])")
    assert len(images) == 22
    assert all(width > 100 for width, _ in images)
    assert all(len(alternative) > 60 and alternative.endswith(".") for _, alternative in images)
    assert len({alternative for _, alternative in images}) == len(images)


def test_no_horizontal_overflow(page):
    """The page is no wider than its window; wider parts scroll in their own box."""
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    boxes = page.evaluate(
        "[...document.querySelectorAll('body *')].filter(box => !box.closest('.scroll, .skip'))"
        ".map(box => box.getBoundingClientRect().right)"
    )
    assert max(boxes) <= page.viewport_size["width"]


def test_accessible(page):
    """The accessibility checker finds nothing serious."""
    violations = axe.Axe().run(page).response["violations"]
    serious = [
        (rule["id"], rule["nodes"][0]["html"][:200]) for rule in violations if rule["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_colours(page, scheme):
    """The backgrounds of page and pictures follow the colour scheme."""
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (_lightness(paper) > 200) == (scheme == "light")
    pixel = page.evaluate(
        """async () => {
            const canvas = document.createElement("canvas"), image = document.images[1];
            await image.decode();
            const drawing = canvas.getContext("2d");
            drawing.drawImage(image, 0, 0, 300, 150);
            return `rgb(${[...drawing.getImageData(2, 2, 1, 1).data].slice(0, 3)})`;
        }"""
    )
    assert (_lightness(pixel) > 200) == (scheme == "light")


def _lightness(colour):
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    return (red + green + blue) / 3


def _column(page, table, column):
    rows = "[...document.getElementById(table).tBodies[0].rows]"
    return page.evaluate(f"([table, column]) => {rows}.map(row => row.cells[column].innerText)", [table, column])


def test_headings_sort(desk):
    """A click on a heading sorts by number, a second click reverses it, and aria-sort reports the order."""
    heading = desk.locator("#headline-1 thead th", has_text="error ± σ")
    numbers = [float(text.split()[0]) for text in _column(desk, "headline-1", 5)]
    assert numbers != sorted(numbers)
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert [float(text.split()[0]) for text in _column(desk, "headline-1", 5)] == sorted(numbers)
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert [float(text.split()[0]) for text in _column(desk, "headline-1", 5)] == sorted(numbers, reverse=True)


def test_headings_sort_by_keyboard(desk):
    """The keyboard sorts, too: times by seconds, and names by the numbers in them."""
    desk.locator("#cases-1 thead th", has_text="median").locator("button").focus()
    desk.keyboard.press("Enter")
    medians = _column(desk, "cases-1", 1)
    seconds = [float(text.split()[0]) * {"ms": 1e-3, "s": 1}[text.split()[1]] for text in medians]
    assert seconds == sorted(seconds)
    assert len({text.split()[1] for text in medians}) == 2
    desk.locator("#headline-1 thead th", has_text="experiment").locator("button").focus()
    desk.keyboard.press("Space")
    names = _column(desk, "headline-1", 0)
    assert names.index("features-2") < names.index("features-8") < names.index("features-16")


def test_missing_numbers_go_last(desk):
    """Missing values stay at the end in both orders."""
    button = desk.locator("#cases-1 thead th", has_text="spread").locator("button")
    for _ in range(2):
        button.click()
        assert _column(desk, "cases-1", 4)[-1] == "–"
        assert _column(desk, "cases-1", 4)[0] != "–"


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """Write the report of a smoke run whose table of cases has all columns, and the longest name."""
    folder, name = tmp_path_factory.mktemp("wide"), "crude-simple-streamed"
    accounts = {"cpu": [0.1] * 3, "queued": [0.0] * 3, "stolen": [0.0] * 3, "idle": [0.2] * 3}
    work = msgspec.structs.replace(recordings.WORK, exponentials=10**10)
    fit = recordings.timed(name, "epoch", 12_345_678, trainer="fit", work=work, memory=recordings.MEMORY)
    fit = msgspec.structs.replace(fit, set_up=[0.333] * 3, **accounts)
    run = msgspec.structs.replace(recordings.RUN, scale="smoke")
    entries = [*recordings.entries_of(name), recordings.benchmark(fit, 0.1234)]
    return report.write([recordings.save(folder, recordings.content(entries=entries, run=run))], folder / "out")


def test_all_columns_fit(browser, wide):
    """In a window of 1,280 pixels the table of cases shows all its columns, without a hint to scroll."""
    with visit(browser, wide.page, viewport={"width": 1280, "height": 900}) as page:
        assert page.locator("#cases-1 thead th").count() == 12
        assert page.locator(".scrolls").count() == 0


def test_tables_on_a_phone(browser, wide):
    """On a phone the headline is a list of labelled numbers; a table that is too wide says that it scrolls."""
    with visit(browser, wide.page, viewport=PHONE) as page:
        labels = page.eval_on_selector_all(
            "#headline-1 td", "cells => cells.map(cell => getComputedStyle(cell, '::before').content)"
        )
        assert '"error ± σ"' in labels
        tops = page.eval_on_selector_all("#headline-1 td", "cells => cells.map(cell => cell.offsetTop)")
        assert tops[0] == tops[1] < tops[2]
        right = page.eval_on_selector_all(
            "#headline-1 td", "cells => Math.max(...cells.map(cell => cell.getBoundingClientRect().right))"
        )
        assert right <= PHONE["width"]
        assert page.locator(".scrolls #headline-1").count() == 0
        hint = "box => getComputedStyle(box, '::before').content"
        assert "Scroll sideways" in page.eval_on_selector(".scrolls:has(#cases-1)", hint)


def test_smoke_has_a_warning(wide, written):
    """The page of a smoke run begins with a warning in a box of its own."""
    assert '<p class="answer warning">1 experiment, 9 cases. Warning: scale smoke' in wide.page.read_text()
    assert 'class="answer warning"' not in written.page.read_text()


def test_skip_link(desk):
    """The first link of the keyboard leads to the results."""
    desk.keyboard.press("Tab")
    assert desk.evaluate("document.activeElement.className") == "skip"
    desk.keyboard.press("Enter")
    assert desk.evaluate("document.activeElement.id") == "answer"


def test_without_script(browser, written):
    """Without JavaScript the page has the same tables, headings and pictures."""
    with visit(browser, written.page, java_script_enabled=False) as page:
        assert page.locator("#headline-1 tbody tr").count() == 7
        assert page.locator("#headline-1 thead th", has_text="val_loss").inner_text() == "val_loss"
        assert page.locator("img").count() == 22


def test_print_is_light(browser, written):
    """A printed page is dark on white, also from a dark screen."""
    with visit(browser, written.page, color_scheme="dark") as page:
        page.emulate_media(media="print")
        colours = page.evaluate("(style => [style.color, style.backgroundColor])(getComputedStyle(document.body))")
    assert _lightness(colours[0]) < 60
    assert _lightness(colours[1]) == 255


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """Write the report of two records with their own pages; return the folder."""
    folder = tmp_path_factory.mktemp("apart")
    entries = [entry for entry in recordings.entries_of("crude-simple") if "first_call" not in entry["name"]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "PAGE_BYTES", 1000)
        paths = [recordings.save(folder, recordings.content(entries=entries)), recordings.save_plain(folder)]
        return report.write(paths, folder / "out").page.parent


@pytest.mark.parametrize("name", ["index.html", "records/1-0001_small.html", "records/2-0001_plain.html"])
def test_pages_of_their_own(browser, apart, name):
    """Pages of records and their index fit on a phone, are accessible, and link to each other."""
    with visit(browser, apart / name, viewport=PHONE) as page:
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
        violations = axe.Axe().run(page).response["violations"]
        assert [rule["id"] for rule in violations if rule["impact"] in ("serious", "critical")] == []
        targets = page.evaluate("[...document.links].map(link => link.href).filter(href => !href.includes('#'))")
    others = ["records/1-0001_small.html", "records/2-0001_plain.html"] if name == "index.html" else ["index.html"]
    assert targets == [(apart / other).as_uri() for other in others]
    assert all((apart / other).exists() for other in others)
