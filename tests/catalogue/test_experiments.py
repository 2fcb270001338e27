"""The catalogue holds the notebook's experiments and refuses what cannot be one."""

from dataclasses import FrozenInstanceError, replace

import pytest

from autoenc_bench.catalogue.experiments import EXPERIMENTS, find, register, resize


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
    """Each row has as many parameters as the notebook's model."""
    assert find(name).parameters == parameters


def test_the_notebook_is_whole():
    """The catalogue holds the notebook's eight experiments and ours, at the notebook's sizes."""
    assert list(EXPERIMENTS) == [
        "crude-simple",
        "crude-complex",
        "crude-simple-streamed",
        *(f"features-{width}" for width in (2, 4, 8, 16, 32)),
        "mnist",
        "digits",
    ]
    for name, row in EXPERIMENTS.items():
        if row.data == "uniform":
            assert (row.rows, row.epochs, row.batch_size) == (1_000_000, 10, 100), name
    assert (find("mnist").epochs, find("mnist").batch_size) == (10, 256)


def test_rows_are_frozen():
    """Nobody changes a row while a run is on."""
    with pytest.raises(FrozenInstanceError):
        find("mnist").epochs = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Crude Simple"}, "lower-case"),
        ({"encoder": ()}, "encoder is empty"),
        ({"encoder": (2, 0)}, "encoder width is 0; it must be at least 1"),
        ({"decoder": (0, 32)}, "decoder width is 0"),
        ({"decoder": (31,)}, "last decoder width is 31"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"rows": 0}, "rows is 0"),
        ({"activation": "softplus"}, "unknown activation 'softplus'; choose from sigmoid, relu"),
        ({"image": (5, 5)}, "not 32 pixels"),
    ],
)
def test_refuses_what_is_no_experiment(change, message):
    """A row that describes no model is refused in a sentence that names it and the value."""
    with pytest.raises(ValueError, match=message):
        replace(find("crude-simple"), **change)


def test_find_lists_the_names():
    """An unknown name is answered with the known ones."""
    with pytest.raises(LookupError, match=r"unknown experiment 'mnits'; choose from crude-simple, .*, digits"):
        find("mnits")


def test_register(monkeypatch):
    """A row from outside joins the catalogue, twice is once, and another row cannot take its name."""
    monkeypatch.setattr("autoenc_bench.catalogue.experiments.EXPERIMENTS", dict(EXPERIMENTS))
    mine = replace(find("crude-simple"), name="mine")
    assert register(mine) is register(mine) is find("mine")
    with pytest.raises(ValueError, match="'mine' is already in the catalogue"):
        register(replace(mine, epochs=3))


def test_resize(monkeypatch):
    """Another number of streamed rows is another experiment, which promises an error only for more rows."""
    monkeypatch.setattr("autoenc_bench.catalogue.experiments.EXPERIMENTS", dict(EXPERIMENTS))
    streamed = find("crude-simple-streamed")
    assert resize(streamed, streamed.rows) is streamed
    larger, smaller = resize(streamed, 10**9), resize(streamed, 1_000)
    assert find("crude-simple-streamed-1000000000") is larger
    assert (larger.rows, larger.mean_error) == (10**9, streamed.mean_error)
    assert smaller.mean_error == (0, float("inf"))
    with pytest.raises(ValueError, match="0 streamed rows; give 2 to 4,294,967,296"):
        resize(streamed, 0)
    with pytest.raises(ValueError, match="'mnist' has its rows in memory"):
        resize(find("mnist"), 100)
