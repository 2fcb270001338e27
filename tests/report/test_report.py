"""A report is one page, lists the records that it could not read, and escapes names."""

import json
import re
import xml.etree.ElementTree as ElementTree
from urllib.parse import unquote

import msgspec
import pytest
import recordings
from pages import Reader, files

from autoenc_bench.cli import __main__ as cli
from autoenc_bench.formatting import visible
from autoenc_bench.records import record
from autoenc_bench.report import page as report

HOSTILE = "<img src=x onerror=alert(1)>\"'&$x^2$|`@all` *b* [a](http://b) {{ 7*7 }}\x00\x1b[31m\n# one"


@pytest.fixture(scope="module")
def reader(written):
    """Read the page of the shared report."""
    return Reader(written.page.read_text())


def test_files(written, reader):
    """A report is one page, one summary, and every figure of the page as SVG and PNG."""
    made = files(written.page.parent)
    images = [attributes for tag, attributes in reader.tags if tag == "img"]
    figures = {name for name in made if name.startswith("figures/")}
    assert set(made) - figures == {"index.html", "summary.md"}
    assert len(figures) == 2 * len(images) == 2 * (16 + 4 + 1 + 1)
    assert all(made[name].startswith(b"\x89PNG") for name in figures if name.endswith(".png"))
    assert {ElementTree.fromstring(made[name]).tag for name in figures if name.endswith(".svg")} == {
        "{http://www.w3.org/2000/svg}svg"
    }
    assert all(len(image["alt"]) > 60 for image in images)


def test_pictures(written, reader):
    """The page embeds the SVG files."""
    sources = [attributes["src"] for tag, attributes in reader.tags if tag == "img"]
    svgs = {content.decode() for name, content in files(written.page.parent).items() if name.endswith(".svg")}
    assert {unquote(source.partition(",")[2]) for source in sources} == svgs


def test_same_bytes(tmp_path):
    """The same record gives the same report, byte by byte."""
    entries = [entry for entry in recordings.entries_of("digits") if "epoch" in entry["name"]]
    path = recordings.save(tmp_path, recordings.content(entries=entries))
    for name in ("one", "another"):
        report.write([path], tmp_path / name)
    assert len(files(tmp_path / "one")) == 2 * 3 + 2
    assert files(tmp_path / "one") == files(tmp_path / "another")


def test_the_answer_comes_first(reader):
    """A section begins with its setting and its answer, and ends with the cases that did not run."""
    place = 0
    for words in (
        "Speed and error of 7 experiments",
        "A CPU, 2 cores",
        "7 experiments, 56 cases. With fused, training is 54 times as fast as with fit.",
        "in 7 of 7 experiments, and lower than that of PCA in 7,",
        "most clearly for features-2 (5.1 % lower). 1 case skipped: the reasons are below.",
        "Speed and error of each experiment",
        "Crude Model with Crude Data (crude-simple), Complex Model with Crude Data (crude-complex)",
        "Do the Number of Features Matter? (features-2, ",
        "Not in the notebook: small digits (digits)",
        "Timings",
        "Times of every case",
        "The machine and the run",
        "0123456789ab on a-branch",
        "Cases without a result",
        "the data is missing",
        "Speed and error of 1 experiment",
    ):
        place = reader.text.index(words, place)


def test_summary(written):
    """The Markdown has the answers, every table, and the cases that did not run."""
    text = re.sub(" +", " ", written.page.with_name("summary.md").read_text())
    place = 0
    for part in (
        "# autoenc-bench report\n\n## Side by side\n\n`(2) 0001_small trains fastest",
        "| experiment | record | fit rows/s |",
        "| `crude-simple` | `(1) 0001_small` | 794 |",
        "## `0001_small`\n\n`A CPU, 2 cores · 8 GiB",
        "| `features-2` | 794 | 42,857 | 54.0 × |",
        "\n\n- skipped `experiment[mnist-fused-seed0]`: `the data is missing`\n\n<details><summary>Times of 56 cases",
        "| `epoch[digits-fused]` | 210 ms |",
        "\n\n</details>\n\n## `0001_small`\n\n",
        "| `slow` | 205 ms |",
        "\n\n</details>\n\n## Not readable\n\n- `",
    ):
        assert part in text
        place = text.index(part, place)
    assert text.endswith("0003_broken.json`: `not a readable record: Input data was truncated`\n")


def test_tables(reader):
    """Each table has all of its rows, and the numbers to sort them by."""
    rows = [tag for tag, attributes in reader.tags if tag == "th" and attributes["scope"] == "row"]
    assert len(rows) == (7 + 1) + (7 + 56) + (1 + 7) + 2  # side by side, and each record's experiments and cases
    numbers = [float(attributes["data-value"]) for _, attributes in reader.tags if "data-value" in attributes]
    assert {0.2, 1000 / 1.26, 2**30} < set(numbers)


def test_self_contained(reader):
    """The page refers to nothing outside itself."""
    links = [attributes.get(name, "") for _, attributes in reader.tags for name in ("src", "href", "srcset")]
    assert sum(link.startswith("data:image/svg") for link in links) == 22
    assert {re.match(r"data:|#|$", link) is not None for link in links} == {True}


@pytest.mark.usefixtures("unrendered")
def test_history_is_linked(tiny, tmp_path):
    """The page links to the page of a history in the same folder."""
    (tmp_path / "history.html").write_text("")
    reader = Reader(report.write([tiny], tmp_path).page.read_text())
    assert ("a", {"href": "history.html"}) in reader.tags


@pytest.mark.usefixtures("unrendered")
def test_a_record_by_plain_pytest_benchmark(tiny, tmp_path):
    """The page of a plain pytest-benchmark record has its times and no headline."""
    reader = Reader(report.write([tiny], tmp_path / "out").page.read_text())
    assert "Speed of 2 benchmarks" in reader.text
    assert "2 cases." in reader.text
    assert "a-host" in reader.text
    assert [attributes["id"] for tag, attributes in reader.tags if tag == "table"] == ["cases-1"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Write the report of a record in which every name is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    case = recordings.whole("crude-simple")
    case = msgspec.structs.replace(case, experiment=HOSTILE, trainer=HOSTILE, backend=HOSTILE)
    entry = {**recordings.benchmark(case, 1.0), "name": f"test_experiment[{HOSTILE}]"}
    left = [record.NotRun(HOSTILE, HOSTILE)]
    machine = msgspec.structs.replace(recordings.MACHINE, cpu=HOSTILE, accelerators=[HOSTILE])
    context = {**recordings.RUN.context, "backend": HOSTILE, HOSTILE: HOSTILE}
    run = msgspec.structs.replace(recordings.RUN, machine=machine, context=context, skipped=left, failed=left)
    content = recordings.content(run=run, entries=[entry])
    content["commit_info"]["branch"] = content["datetime"] = content["version"] = HOSTILE
    return report.write([recordings.save(folder, content)], folder / "out").page


def test_hostile_names_on_the_page(hostile):
    """Hostile names are shown as text, and are not part of file names."""
    reader = Reader(hostile.read_text())
    assert visible(HOSTILE) in reader.text
    assert all(sign.isprintable() or sign == "\n" for sign in reader.text)
    assert reader.text.count("*b* [a](http://b) {{ 7*7 }}") == reader.text.count("*b* [a](http://b) ") > 9
    images = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert all(image["src"].startswith("data:image/svg") and "onerror" not in image for image in images)
    assert not {"#", "&", '"', "\n"} & {sign for image in images for sign in image["src"]}
    names = [name for name in files(hostile.parent) if name not in ("index.html", "summary.md")]
    assert all(re.fullmatch(r"figures/[a-z0-9_-]+\.(svg|png)", name) for name in names)
    for name in names:
        if name.endswith(".svg"):
            ElementTree.fromstring((hostile.parent / name).read_bytes())


def test_hostile_names_in_the_summary(hostile):
    """In Markdown, hostile names are code on one line."""
    summary = hostile.with_name("summary.md").read_text()
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", summary)
    assert "img" not in outside
    assert "@all" not in outside
    assert "\x1b" not in summary
    assert "\n# one" not in summary
    assert HOSTILE.partition("|")[0] in summary


# Several records


def test_several_records(written, reader):
    """Each record has its section and its folder of figures, also if two have the same name."""
    folders = sorted(one.name for one in (written.page.parent / "figures").iterdir() if one.is_dir())
    assert folders == ["1-0001_small", "2-0001_small", "3-0001_plain"]
    assert "3 records" in reader.text
    identities = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(set(identities)) == len(identities)
    assert {"record-1", "record-2", "record-3", "headline-1", "headline-2", "cases-3", "side-by-side"} < set(identities)


@pytest.mark.usefixtures("unrendered")
def test_unreadable_among_readable(tiny, tmp_path):
    """Both pages list unreadable records with the reason, and show the others."""
    broken = tmp_path / "0002_broken.json"
    broken.write_text("{")
    written = report.write([broken, tiny, tmp_path / "none.json"], tmp_path / "out")
    assert written.left_out == [
        f"left out {broken}: not a readable record: Input data was truncated",
        f"left out {tmp_path / 'none.json'}: no such record",
    ]
    for text in (Reader(written.page.read_text()).text, written.page.with_name("summary.md").read_text()):
        assert "Not readable" in text
        assert "not a readable record" in text
        assert "no such record" in text


@pytest.mark.usefixtures("unrendered")
def test_the_same_record_twice(tiny, tmp_path):
    """A record that is given twice is drawn once."""
    reader = Reader(report.write([tiny, tiny], tmp_path / "out").page.read_text())
    assert [attributes["id"] for tag, attributes in reader.tags if tag == "section" and "id" in attributes] == [
        "record-1"
    ]


@pytest.mark.usefixtures("unrendered")
def test_a_curve_without_epochs(tmp_path):
    """An empty curve is not drawn, and the rest is."""
    case = recordings.whole("crude-simple", curve=[])
    path = recordings.save(tmp_path, recordings.content(entries=[recordings.benchmark(case, 1.0)]))
    report.write([path], tmp_path / "out")
    drawn = {file.name for file in (tmp_path / "out" / "figures").iterdir()}
    assert "error-crude-simple.svg" in drawn
    assert "training-curves.svg" not in drawn


# Too much for one page


@pytest.fixture
def three(tmp_path):
    """Return three records that are drawn quickly, two with the same name."""
    paths = []
    for place, name in enumerate(("0001_x.json", "0001_x.json", "0002_y.json")):
        paths.append(tmp_path / "in" / str(place) / name)
        paths[-1].parent.mkdir(parents=True)
        entries = [recordings.plain(f"test_{'abc'[place]}", [1.0, 1.1])]
        paths[-1].write_text(json.dumps(recordings.content(run=None, entries=entries)))
    return paths


PAGES = ["records/1-0001_x.html", "records/2-0001_x.html", "records/3-0002_y.html"]


@pytest.mark.usefixtures("unrendered")
def test_pages_of_their_own(three, tmp_path, monkeypatch):
    """Large records have their own pages, and the index and these pages link to each other."""
    monkeypatch.setattr(report, "PAGE_BYTES", 1000)
    out = tmp_path / "out"
    (out / "history.html").parent.mkdir()
    (out / "history.html").write_text("")
    index = Reader(report.write([*three, tmp_path / "none.json"], out).page.read_text())
    links = [attributes["href"] for tag, attributes in index.tags if tag == "a"]
    assert [link for link in links if link.startswith("records/")] == PAGES
    assert "history.html" in links
    assert "3 records" in index.text
    assert "no such record" in index.text
    assert not [tag for tag, _ in index.tags if tag in ("img", "table")]
    for place, name in enumerate(PAGES):
        page = Reader((out / name).read_text())
        links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
        assert "../index.html" in links
        assert not any(link.startswith("records/") or "history" in link for link in links)
        assert sum(tag == "img" for tag, _ in page.tags) == 1
        assert [case for case in "abc" if case in page.texts] == ["abc"[place]]
        assert "no such record" not in page.text
    summary = (out / "summary.md").read_text()
    assert all(f"| `{case}` " in summary for case in "abc")


@pytest.mark.usefixtures("unrendered")
def test_one_page(three, tmp_path):
    """Small records share one page, and its list links to each of them."""
    page = report.write(three, tmp_path / "out").page
    reader = Reader(page.read_text())
    links = [attributes["href"] for tag, attributes in reader.tags if tag == "a" and "#record" in attributes["href"]]
    assert links == ["#record-1", "#record-2", "#record-3"]
    assert not page.with_name("records").exists()


@pytest.mark.usefixtures("unrendered")
def test_one_large_record(tiny, tmp_path, monkeypatch):
    """A single record is on the index page, however large it is."""
    monkeypatch.setattr(report, "PAGE_BYTES", 0)
    page = report.write([tiny], tmp_path / "out").page
    assert "All records" not in page.read_text()
    assert not page.with_name("records").exists()


@pytest.mark.slow
def test_several_processes(three, tmp_path, monkeypatch):
    """Several processes write the same files, and report each record in order."""
    monkeypatch.setattr(report, "PAGE_BYTES", 1000)
    reported = []
    report.write(three, tmp_path / "one")
    report.write(three, tmp_path / "two", reported.append, processes=2)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert reported == ["0001_x.json", "0001_x.json", "0002_y.json"]


# The command, and the end of a run


@pytest.mark.usefixtures("unrendered")
def test_command(tiny, tmp_path, monkeypatch, capsys):
    """The command draws the newest record into reports/, prints the path, and opens the page with --open."""
    opened = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webbrowser.open", opened.append)
    folder = tmp_path / ".benchmarks" / "Linux"
    folder.mkdir(parents=True)
    tiny.rename(folder / tiny.name)
    assert cli.main(["report", "--open"]) == 0
    assert capsys.readouterr().out == "report: reports/index.html\n"
    assert opened == [(tmp_path / "reports" / "index.html").as_uri()]


@pytest.mark.usefixtures("unrendered")
def test_command_leaves_out(tiny, tmp_path, capsys):
    """The command names unreadable records, and its status stays 0."""
    missing = tmp_path / "none.json"
    assert cli.main(["report", str(tiny), str(missing), "--out", str(tmp_path / "out")]) == 0
    assert f"autoenc-bench: left out {missing}: no such record\n" in capsys.readouterr().err


def test_no_records_yet(tmp_path, monkeypatch, capsys):
    """Without records the command explains how to make one."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report"]) == 2
    assert "no records yet; run 'autoenc-bench run' first" in capsys.readouterr().err
