"""What every benchmark shares: the axes it runs over, and the fixtures that load, prepare and measure."""

from functools import lru_cache
from itertools import pairwise

import msgspec
import pytest

from autoenc_bench.catalogue import experiments
from autoenc_bench.catalogue.scales import SCALES
from autoenc_bench.core import backends
from autoenc_bench.machine import memory, reference

SCALING = "test_scaling.py"

# What loads Keras is imported where it is used: options are checked, and refused, before that.


def pytest_generate_tests(metafunc):
    """Run each case over the axes that it names, in the order that case ids have."""
    option, wants = metafunc.config.option, metafunc.fixturenames
    if "measure" not in wants:
        return
    scale = SCALES[option.scale]
    if "experiment" in wants:
        metafunc.parametrize("experiment", option.experiment, indirect=True, scope="session")
    if "trainer" in wants:
        trainers = scale.trainers if "seed" in wants else tuple(scale.training)
        metafunc.parametrize("trainer", trainers)
    if "batch" in wants:
        metafunc.parametrize("batch", ("bulk", "one"))
    if "devices" in wants:
        counts = metafunc.config.pluginmanager.get_plugin("autoenc-bench").distribution.counts
        alone = metafunc.function.__name__ != "test_all_reduce"  # one device has nobody to average with
        metafunc.parametrize("devices", [n for n in counts if alone or n > 1], ids="devices{}".format)
    if "seed" in wants:
        metafunc.parametrize("seed", range(option.seeds), ids="seed{}".format)


def pytest_ignore_collect(collection_path, config):
    """Take a distributed run for scaling alone, and leave that out of any other."""
    distributed = config.pluginmanager.get_plugin("autoenc-bench").distribution is not None
    if not (collection_path.name.startswith("test_") and (collection_path.parent / SCALING).exists()):
        return None
    return True if (collection_path.name == SCALING) != distributed else None


def pytest_collection_modifyitems(items):
    """Leave out what does not exist: ``fit`` on streamed rows, for it needs its rows in memory."""
    items[:] = [item for item in items if not (_is_case(item) and _is_streamed_fit(item.callspec))]


def _is_case(item):
    return "measure" in getattr(item, "fixturenames", ())


def _is_streamed_fit(axes):
    return axes.params.get("trainer") == "fit" and experiments.find(axes.params["experiment"]).is_streamed


def pytest_itemcollected(item):
    """Let warnings pass: what a newer library deprecates is no reason to measure nothing."""
    if _is_case(item):
        item.add_marker(pytest.mark.filterwarnings("default"))


@pytest.fixture(scope="session")
def scale(request):
    """Return the scale of this run."""
    return SCALES[request.config.option.scale].on(backends.name())


@pytest.fixture(scope="session")
def distribution(request):
    """Return the devices and processes of a distributed run, else ``None``."""
    return request.config.pluginmanager.get_plugin("autoenc-bench").distribution


@pytest.fixture(scope="session")
def experiment(request, scale):
    """Return one experiment of the catalogue, at this scale."""
    return scale.apply(experiments.find(request.param))


@pytest.fixture(scope="session")
def load(distribution):
    """Return a function (experiment, seed) -> Split or Stream that skips the case when nobody has the data.

    Where several processes train together it fails, for the others may have them, and would wait.
    """
    from autoenc_bench.core import data

    lacking = {}

    @lru_cache(maxsize=2)  # the two crude experiments share theirs
    def kept(name, rows, features, seed):
        return data.load(name, rows=rows, features=features, seed=seed)

    def load(experiment, seed=0):
        if experiment.data not in lacking:
            try:
                return kept(experiment.data, experiment.rows, experiment.features, seed)
            except LookupError as problem:
                lacking[experiment.data] = str(problem)
            except ValueError as problem:
                pytest.fail(str(problem), pytrace=False)
        if distribution and distribution.several:
            pytest.fail(lacking[experiment.data], pytrace=False)
        pytest.skip(lacking[experiment.data])

    return load


@pytest.fixture(scope="session")
def split(experiment, load):
    """Return the data of seed 0."""
    return load(experiment)


@pytest.fixture(scope="session")
def prepare(experiment, load):
    """Return a function (trainer, rows, seed) -> Trainer on the first rows of the training data, or on all.

    It keeps the experiment's trainers, so that a later case need not compile again, unless asked for a new one.
    """
    from autoenc_bench.core import training

    kept = {}

    def prepare(trainer, rows=None, seed=0, new=False):
        split = load(experiment, seed)
        key = (trainer, rows or split.rows, seed)
        if new or key not in kept:
            kept[key] = training.prepare(experiment, trainer, split.head(key[1]), seed)
        return kept[key]

    return prepare


@pytest.fixture(scope="session")
def inference(experiment):
    """Return the experiment's compiled calls."""
    from autoenc_bench.core.models import build
    from autoenc_bench.core.training import Inference

    return Inference(build(experiment, seed=0))


class Measure:
    """Time one case by pytest-benchmark, and keep what the case says about itself in its ``extra_info``."""

    def __init__(self, benchmark, scale, facts, pictures):
        self.benchmark = benchmark
        self.scale = scale
        self.pictures = pictures
        benchmark.extra_info["autoenc"] = facts
        benchmark.group = self.phase = facts["phase"]

    def __call__(self, target, *args, rows, setup=None, meet=None, rounds=None, **facts):
        """Time ``target(*args)``, each round after ``setup()``; ``rows`` are the samples it processes.

        Several rounds (the scale says how many, unless ``rounds`` does) follow a warm-up; one round has none. Before
        each round and after the last, outside the clock, runs the reference workload, and ``meet()``, for which several
        processes begin a round together.
        """
        rounds = rounds or self.scale.rounds
        beside = []

        def ready():
            if setup:
                setup()
            beside.append(reference.seconds())
            if meet:
                meet()

        watch = memory.Watch()
        result = self.benchmark.pedantic(target, args=args, setup=ready, rounds=rounds, warmup_rounds=int(rounds > 1))
        held = watch.read()
        beside.append(reference.seconds())
        around = [(before + after) / 2 for before, after in pairwise(beside)]
        self.note(rows=rows, memory=held, reference=around[-rounds:], **facts)
        return result

    def note(self, **facts):
        """Add facts to the case's record."""
        self.benchmark.extra_info["autoenc"].update(msgspec.to_builtins(facts))

    def show(self, image, pictures):
        """Keep pictures of some samples in the record's side file; ``image`` is their shape."""
        self.note(image=image)
        self.pictures.update({f"{self.benchmark.param}/{name}": array for name, array in pictures.items()})


@pytest.fixture
def measure(request, benchmark, scale):
    """Return this case's Measure."""
    session = request.config.pluginmanager.get_plugin("autoenc-bench")
    axes = request.node.callspec.params
    facts = {
        "experiment": axes["experiment"],
        "phase": request.function.__name__.removeprefix("test_"),
        "backend": backends.name(),
        "seed": axes.get("seed", 0),
    }
    facts.update({axis: axes[axis] for axis in ("trainer", "batch") if axis in axes})
    return Measure(benchmark, scale, facts, session.pictures)


@pytest.fixture(scope="session")
def epoch(request):
    """Return what is called after each epoch of a whole experiment, to say how far it is."""
    return request.config.pluginmanager.get_plugin("autoenc-bench-progress").epoch
