"""The catalogue holds the notebook's experiments, and invalid experiments are refused."""

from dataclasses import FrozenInstanceError, replace

import pytest
from suite_runs import ROOT

from autoenc_bench.catalogue.experiments import EXPERIMENTS, NOTEBOOK, OURS, find, register, resize


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("crude-simple", 162),
        ("crude-complex", 3_974),
        ("crude-simple-streamed", 162),
        ("features-2", 12),
        ("features-4", 22),
        ("features-8", 42),
        ("features-16", 82),
        ("features-32", 162),
        ("mnist", 50_992),
        ("digits", 4_192),
    ],
)
def test_parameters(name, parameters):
    """Each experiment has as many parameters as the notebook's model."""
    assert find(name).parameters == parameters


def test_catalogue():
    """The catalogue holds the notebook's eight experiments at its sizes, and two of our own, marked as such."""
    assert [experiment.name for experiment in NOTEBOOK] == [
        "crude-simple",
        "crude-complex",
        *(f"features-{width}" for width in (2, 4, 8, 16, 32)),
        "mnist",
    ]
    assert list(EXPERIMENTS.values()) == [*NOTEBOOK, *OURS]
    assert {row.name for row in EXPERIMENTS.values() if "Not in the notebook" in row.title} == {
        row.name for row in OURS
    }
    for name, row in EXPERIMENTS.items():
        if row.data == "uniform":
            assert (row.rows, row.epochs, row.batch_size) == (1_000_000, 10, 100), name
    assert (find("mnist").epochs, find("mnist").batch_size) == (10, 256)


@pytest.mark.parametrize("experiment", NOTEBOOK, ids=lambda experiment: experiment.name)
def test_notebook_page(experiment):
    """The page about the notebook has each experiment's section, and names the experiment in its table."""
    page = (ROOT / "docs" / "notebook.md").read_text()
    assert f"\n## {experiment.title}\n" in page
    assert f"`{experiment.name}`" in page or f"`-{experiment.features}`" in page


def test_frozen():
    """An experiment cannot be changed during a run."""
    with pytest.raises(FrozenInstanceError):
        find("mnist").epochs = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Crude Simple"}, "lower-case"),
        ({"encoder": ()}, "encoder is empty"),
        ({"encoder": (2, 0)}, "encoder width is 0; it must be at least 1"),
        ({"decoder": (0, 32)}, "decoder width is 0"),
        ({"decoder": (31,)}, "last decoder width is 31; it must be the number of features, 32"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"rows": 0}, "rows is 0"),
        ({"activation": "softplus"}, "unknown activation 'softplus'; choose from sigmoid, relu"),
        ({"image": (5, 5)}, r"image \(5, 5\) has 25 pixels; it must have 32"),
    ],
)
def test_invalid_experiment(change, message):
    """Values that describe no experiment are refused in a sentence that names experiment and value."""
    with pytest.raises(ValueError, match=message):
        replace(find("crude-simple"), **change)


def test_find():
    """The error for an unknown name lists the known names."""
    with pytest.raises(LookupError, match=r"unknown experiment 'mnits'; choose from crude-simple, .*, digits"):
        find("mnits")


def test_register(monkeypatch):
    """Registering an experiment twice changes nothing; a different experiment cannot take its name."""
    monkeypatch.setattr("autoenc_bench.catalogue.experiments.EXPERIMENTS", dict(EXPERIMENTS))
    mine = replace(find("crude-simple"), name="mine")
    assert register(mine) is register(mine) is find("mine")
    with pytest.raises(ValueError, match="'mine' is already in the catalogue"):
        register(replace(mine, epochs=3))


def test_resize(monkeypatch):
    """Another number of streamed rows makes another experiment, whose error has bounds only for more rows."""
    monkeypatch.setattr("autoenc_bench.catalogue.experiments.EXPERIMENTS", dict(EXPERIMENTS))
    streamed = find("crude-simple-streamed")
    assert resize(streamed, streamed.rows) is streamed
    larger, smaller = resize(streamed, 10**9), resize(streamed, 1_000)
    assert find("crude-simple-streamed-1000000000") is larger
    assert (larger.rows, larger.mean_error) == (10**9, streamed.mean_error)
    assert smaller.mean_error == (0, float("inf"))
    with pytest.raises(ValueError, match="0 streamed rows; give 2 to 4,294,967,296"):
        resize(streamed, 0)
    with pytest.raises(ValueError, match="'mnist' is not streamed, so its number of rows is fixed"):
        resize(find("mnist"), 100)
