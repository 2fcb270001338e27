"""The axes that cases run over, and the fixtures that load data, prepare models and measure.

Modules that load Keras are imported in the fixtures: the options are checked, and perhaps refused, before that.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest

from autoenc_bench.backends import selection
from autoenc_bench.catalogue import experiments
from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.catalogue.scales import Scale
from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.instruments import call_counts, peak_memory, reference_workload
from autoenc_bench.instruments.call_counts import Counted
from autoenc_bench.instruments.clock import CLOCK, Mode, Reading
from autoenc_bench.plugin import artifacts
from autoenc_bench.plugin.options import CONFIGURATION
from autoenc_bench.plugin.session import SESSION, axes, is_case, phase
from autoenc_bench.plugin.turns import TURNS
from autoenc_bench.records.storage import Pictures

if TYPE_CHECKING:
    from autoenc_bench.core.data.split import Split
    from autoenc_bench.core.data.streams import Stream
    from autoenc_bench.core.training import Inference, Trainer
    from autoenc_bench.distributed.data_parallel import DataParallelTrainer
    from autoenc_bench.records.case import Epoch

SCALING = "test_scaling.py"
SHARES = {"fit": 0.4, "fused": 0.2}  # of a round's length that an interleaved round has; the set-up of fit is long
T = TypeVar("T")
Load = Callable[..., "Split | Stream"]
Call = Callable[[], object] | None
Scaling = Callable[[bool], "DataParallelTrainer"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case over the axes that it names, in the order that case ids have."""
    names = metafunc.fixturenames
    if "measure" not in names:
        return
    run = metafunc.config.stash[CONFIGURATION]
    if "experiment" in names:
        metafunc.parametrize("experiment", run.experiments, indirect=True, scope="session")
    if "trainer" in names:
        metafunc.parametrize("trainer", run.scale.trainers if "seed" in names else tuple(run.scale.training))
    if "batch" in names:
        metafunc.parametrize("batch", ("bulk", "one"))
    if "devices" in names:
        counts = run.distribution.counts if run.distribution else []
        least = 2 if metafunc.function.__name__ == "test_all_reduce" else 1  # one device has nothing to average
        metafunc.parametrize("devices", [n for n in counts if n >= least], ids="devices{}".format)
    if "seed" in names:
        metafunc.parametrize("seed", range(run.seeds), ids="seed{}".format)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect only test_scaling.py in a distributed run, and all other benchmarks in any other run."""
    if not (collection_path.name.startswith("test_") and (collection_path.parent / SCALING).exists()):
        return None
    is_distributed = config.stash[CONFIGURATION].distribution is not None
    return True if (collection_path.name == SCALING) != is_distributed else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out ``fit`` on streamed rows, which it would need in memory; time cases by the suite's clock.

    Warnings do not fail cases: a library's deprecation is no reason to measure nothing.
    """
    items[:] = [item for item in items if not (is_case(item) and _is_streamed_fit(item))]
    for item in filter(is_case, items):
        item.add_marker(pytest.mark.filterwarnings("default"))
        own = item.get_closest_marker("benchmark")
        item.add_marker(pytest.mark.benchmark(**(own.kwargs if own else {}), timer=CLOCK), append=False)


def _is_streamed_fit(item: Any) -> bool:
    values = axes(item)
    is_fit = values.get("trainer") == "fit" or phase(item) == "untouched_fit"
    return is_fit and "experiment" in values and experiments.find(values["experiment"]).is_streamed


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> Scale:
    """Return the scale of this run, with shorter rounds if they are interleaved, because the machine changes."""
    scale = request.config.stash[CONFIGURATION].scale
    if TURNS not in request.config.stash:
        return scale
    shorter = {name: replace(timed, seconds=timed.seconds * SHARES[name]) for name, timed in scale.training.items()}
    return replace(scale, training=shorter)


@pytest.fixture(scope="session")
def experiment(request: pytest.FixtureRequest, scale: Scale) -> Experiment:
    """Return one experiment of the catalogue, at this scale."""
    if not hasattr(request, "param"):
        reason = "the fixture experiment has values only in tests that also use the fixture measure"
        pytest.fail(f"{reason}; add measure to the arguments of this test", pytrace=False)
    return scale.apply(experiments.find(request.param))


@pytest.fixture(scope="session")
def load(request: pytest.FixtureRequest) -> Load:
    """Return a function (experiment, seed) -> Split or Stream that skips the case if no source has the data."""
    from autoenc_bench.core.data import sources

    distribution = request.config.stash[CONFIGURATION].distribution
    missing: dict[str, str] = {}  # data set -> the reason, so that it is not searched again

    @lru_cache(maxsize=2)  # the two crude experiments share theirs
    def cached(name: str, rows: int, features: int, seed: int) -> "Split | Stream":
        return sources.load(name, rows=rows, features=features, seed=seed)

    def load(experiment: Experiment, seed: int = 0) -> "Split | Stream":
        if experiment.data not in missing:
            try:
                return cached(experiment.data, experiment.rows, experiment.features, seed)
            except NotFoundError as problem:
                missing[experiment.data] = str(problem)
            except InvalidInputError as problem:
                pytest.fail(str(problem), pytrace=False)
        if distribution and distribution.several:  # the other processes may have the data, and would wait
            pytest.fail(missing[experiment.data], pytrace=False)
        pytest.skip(missing[experiment.data])

    return load


@pytest.fixture(scope="session")
def split(experiment: Experiment, load: Load) -> "Split | Stream":
    """Return the data of seed 0."""
    return load(experiment)


@pytest.fixture(scope="session")
def prepare(experiment: Experiment, load: Load) -> Callable[..., "Trainer"]:
    """Return a function (trainer, seed, new) -> Trainer; later cases share it unless they ask for a new one."""
    from autoenc_bench.core import training

    trainers: dict[tuple[str, int], Trainer] = {}

    def prepare(trainer: str, seed: int = 0, new: bool = False) -> "Trainer":
        if new or (trainer, seed) not in trainers:
            trainers[trainer, seed] = training.prepare(experiment, trainer, load(experiment, seed), seed)
        return trainers[trainer, seed]

    return prepare


@pytest.fixture(scope="session")
def inference(experiment: Experiment) -> "Inference":
    """Return the experiment's compiled calls."""
    from autoenc_bench.core.models import build
    from autoenc_bench.core.training import Inference

    return Inference(build(experiment, seed=0))


@pytest.fixture
def measure(request: pytest.FixtureRequest, benchmark: Any, scale: Scale) -> "Measure":
    """Return what times this case."""
    values = axes(request.node)
    facts: dict[str, Any] = {
        "experiment": values.get("experiment", ""),
        "phase": phase(request.node),
        "backend": selection.name(),
        "seed": values.get("seed", 0),
        **{axis: values[axis] for axis in ("trainer", "batch") if axis in values},
    }
    return Measure(benchmark, scale, facts, request.config)


class Measure:
    """Time one case by pytest-benchmark, and note what is measured beside the times in its ``extra_info``."""

    PART = 0.05  # seconds of a whole experiment after which, at an epoch's end, the reference workload runs again

    def __init__(self, benchmark: Any, scale: Scale, facts: dict[str, Any], config: pytest.Config) -> None:
        self._benchmark, self._scale, self._session = benchmark, scale, config.stash[SESSION]
        self._turns, self._explained = config.stash.get(TURNS, None), config.option.explain
        self._references: list[float] = []  # seconds of the reference workload before and in the round
        self._parts: list[float] = []  # seconds of the round from one of them to the next
        benchmark.extra_info["autoenc"] = facts
        benchmark.group = self.phase = facts["phase"]

    def __call__(
        self,
        target: Callable[..., T],
        *args: Any,
        rows: int,
        rounds: int | None = None,
        warm_up: bool = True,
        setup: Call = None,
        meet: Call = None,
        counts: Callable[[], Counted] | bool = True,
        **facts: Any,
    ) -> T:
        """Time ``target(*args)`` in several rounds, and return its last result; note its facts, times and counts.

        ``rows`` is the number of samples that it processes, ``rounds`` overrides the scale's number of rounds. An
        untimed round warms up first, unless ``warm_up`` is false: the case then measures a first call, or has warmed
        up by itself. Before each round, outside the clock, run ``setup()``, which may take long, then the reference
        workload, then ``meet()``, with which processes begin a round together. The reference workload also runs after
        the last round. In a live comparison every case warms up, and its rounds are interleaved with those of other
        processes instead, which show better how fast the machine is.
        Last comes the instrumentation pass: ``counts()`` returns what the case executes. By default (true) one more
        call is counted; nothing is counted if it is false.
        """
        turns = self._turns if self._turns and self._turns.rounds else None
        rounds = turns.rounds if turns else rounds or self._scale.rounds
        # With timing off, the target runs once.
        warm_ups = int(self._benchmark.enabled and (warm_up or turns is not None))
        starts: list[Reading] = []
        done: list[dict[str, float]] = []  # what was measured beside each round, by field of the record

        def end_round(ended: Reading) -> None:
            is_warm_up_next = warm_ups and not starts
            latest = 0.0 if turns or is_warm_up_next else reference_workload.seconds()
            if starts:
                beside = {} if turns else {"reference": self._reference_beside(latest)}
                done.append(beside | _passed(starts[-1], ended))
            self._references, self._parts = [latest], [0.0]

        def begin_round() -> None:
            ended = CLOCK.read()
            if turns and turns.is_interleaved:
                turns.wait()
            if setup:
                setup()
            end_round(ended)
            if meet:
                meet()
            starts.append(CLOCK.read())

        watch = peak_memory.MemoryWatch(selection.current())
        result: T = self._benchmark.pedantic(target, args, setup=begin_round, rounds=rounds, warmup_rounds=warm_ups)
        ended = CLOCK.read()
        used = watch.read()
        end_round(ended)
        timed = done[warm_ups : warm_ups + rounds]  # --benchmark-cprofile runs one more
        beside = {name: [each[name] for each in timed] for name in timed[0]}
        if not any(beside["set_up"]):  # only fit has any
            del beside["set_up"]
        if turns:
            beside["between"] = turns.between[-rounds:]
        self.note(rows=rows, memory=used, **beside, **facts)
        if counts and not meet:
            call = partial(target, *args)
            self._instrument(counts if callable(counts) else partial(call_counts.of_calls, call), call, setup)
        return result

    def _reference_beside(self, latest: float) -> float:
        """Return the seconds of the reference workload beside a round: the mean of those before and after it.

        A round in parts has a mean for each part. Their harmonic mean, weighted by the parts' seconds, makes the
        round's referenced time the sum of the parts' referenced times.
        """
        means = [(before + after) / 2 for before, after in pairwise([*self._references, latest])]
        if len(means) == 1:
            return means[0]
        return sum(self._parts) / sum(part / mean for part, mean in zip(self._parts, means, strict=True))

    def epoch(self, done: int, latest: "Epoch") -> None:
        """Run the reference workload between the epochs of a whole experiment, while the clock is paused."""
        self._parts[-1] += latest.seconds
        if self._parts[-1] >= self.PART:
            with CLOCK.during(Mode.PAUSE):
                self._references.append(reference_workload.seconds())
                self._parts.append(0.0)
                self._session.progress.epoch(done)

    def _instrument(self, count: Callable[[], Counted], call: Callable[[], object], setup: Call) -> None:
        """Count what the case executes, and with --explain keep programs and a profile, all outside the clock.

        A live comparison requests either in a single visit of the case; the counts then hold for later visits too.
        """
        name, counts = self._benchmark.name.removeprefix("test_"), self._session.counts
        alone = ("counts", "profile") if self._benchmark.enabled else ()
        passes = (self._turns.instrumentation,) if self._turns else alone
        if "counts" in passes:
            counted = count()
            counts[name] = counted.counts
            if self._explained:
                artifacts.keep_programs(self._explained / name, counted.texts)
        if "profile" in passes and self._explained:
            artifacts.keep_profile(self._explained / name, call, setup)
        if name in counts:
            self.note(counts=counts[name])

    def note(self, **facts: Any) -> None:
        """Add facts to the case's record."""
        self._benchmark.extra_info["autoenc"].update(msgspec.to_builtins(facts))

    def show(self, image: tuple[int, int], pictures: Pictures) -> None:
        """Keep pictures of some samples in the record's side file; ``image`` is their shape."""
        self.note(image=image)
        self._session.pictures.update({f"{self._benchmark.param}/{name}": array for name, array in pictures.items()})


def _passed(before: Reading, after: Reading) -> dict[str, float]:
    """Return the clock's seconds of a round other than its wall seconds, by field of the record, as far as known."""
    names = ("cpu", "queued", "stolen", "idle", "set_up")
    return {name: getattr(after, name) - getattr(before, name) for name in names if getattr(before, name) is not None}


@pytest.fixture
def prepare_scaling(request: pytest.FixtureRequest, experiment: Experiment, load: Load, devices: int) -> Scaling:
    """Return a function (weak) -> DataParallelTrainer that skips the case if batch or rows do not allow it."""
    from autoenc_bench.distributed.data_parallel import DataParallelTrainer

    distribution = request.config.stash[CONFIGURATION].distribution
    assert distribution  # these cases are collected in no other run

    def prepare(weak: bool) -> "DataParallelTrainer":
        try:
            return DataParallelTrainer(experiment, load(experiment), distribution.choose(devices), weak)
        except InvalidInputError as problem:
            pytest.skip(str(problem))

    return prepare


@pytest.fixture
def measure_epoch(prepare_scaling: Scaling, devices: int, measure: Measure) -> Callable[[bool], float]:
    """Return a function (weak) -> validation loss that times an epoch on several devices, compiled before."""

    def run(weak: bool) -> float:
        trainer = prepare_scaling(weak)
        trainer.warm()
        facts: dict[str, Any] = {"rows": trainer.rows, "steps": trainer.steps, "devices": devices}
        history = measure(trainer.train, 1, setup=trainer.reset, meet=trainer.barrier, **facts)
        return float(history[-1].val_loss)

    return run
