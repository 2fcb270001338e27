"""What every case shares: the axes it runs over, and the fixtures that load, prepare and measure.

What loads Keras is imported where it is used: options are checked, and refused, before that.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import pytest

from autoenc_bench import backends
from autoenc_bench.catalogue import experiments
from autoenc_bench.catalogue.experiments import Experiment
from autoenc_bench.catalogue.scales import Scale
from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.instruments import memory, reference
from autoenc_bench.instruments.clock import CLOCK, Mode, Reading
from autoenc_bench.plugin import artifacts
from autoenc_bench.plugin.conclusion import Pictures
from autoenc_bench.plugin.options import CONFIGURATION
from autoenc_bench.plugin.session import SESSION, Session, axes, is_case, phase
from autoenc_bench.plugin.turns import TURNS, Turns

if TYPE_CHECKING:
    from autoenc_bench.core.data.split import Split
    from autoenc_bench.core.data.streams import Stream
    from autoenc_bench.core.training import Inference, Trainer
    from autoenc_bench.distributed.data_parallel import DataParallelTrainer
    from autoenc_bench.instruments.call_counts import Counted
    from autoenc_bench.records.case import Epoch

SCALING = "test_scaling.py"
COUNTING = "autoenc_bench.instruments.call_counts"
SHARES = {"fit": 0.4, "fused": 0.2}  # of a round that takes turns in one that does not; fit's set-up is long
T = TypeVar("T")
Load = Callable[..., "Split | Stream"]
Call = Callable[[], object] | None
Scaling = Callable[[bool], "DataParallelTrainer"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each case over the axes that it names, in the order that case ids have."""
    wants = metafunc.fixturenames
    if "measure" not in wants:
        return
    run = metafunc.config.stash[CONFIGURATION]
    if "experiment" in wants:
        metafunc.parametrize("experiment", run.experiments, indirect=True, scope="session")
    if "trainer" in wants:
        metafunc.parametrize("trainer", run.scale.trainers if "seed" in wants else tuple(run.scale.training))
    if "batch" in wants:
        metafunc.parametrize("batch", ("bulk", "one"))
    if "devices" in wants:
        counts = run.distribution.counts if run.distribution else []
        alone = metafunc.function.__name__ != "test_all_reduce"  # one device has nobody to average with
        metafunc.parametrize("devices", [n for n in counts if alone or n > 1], ids="devices{}".format)
    if "seed" in wants:
        metafunc.parametrize("seed", range(run.seeds), ids="seed{}".format)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Take a distributed run for scaling alone, and leave that out of any other."""
    if not (collection_path.name.startswith("test_") and (collection_path.parent / SCALING).exists()):
        return None
    is_distributed = config.stash[CONFIGURATION].distribution is not None
    return True if (collection_path.name == SCALING) != is_distributed else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out ``fit`` on streamed rows, for it needs its rows in memory, and let warnings of cases pass."""
    items[:] = [item for item in items if not (is_case(item) and _is_streamed_fit(item))]
    for item in filter(is_case, items):  # what a newer library deprecates is no reason to measure nothing
        item.add_marker(pytest.mark.filterwarnings("default"))
        asked = item.get_closest_marker("benchmark")
        item.add_marker(pytest.mark.benchmark(**(asked.kwargs if asked else {}), timer=CLOCK), append=False)


def _is_streamed_fit(item: Any) -> bool:
    known = axes(item)
    is_fit = known.get("trainer") == "fit" or phase(item) == "untouched_fit"
    return is_fit and "experiment" in known and experiments.find(known["experiment"]).is_streamed


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> Scale:
    """Return the scale of this run, with shorter rounds where they take turns: the machine changes meanwhile."""
    scale = request.config.stash[CONFIGURATION].scale
    if TURNS not in request.config.stash:
        return scale
    shorter = {name: replace(timed, seconds=timed.seconds * SHARES[name]) for name, timed in scale.training.items()}
    return replace(scale, training=shorter)


@pytest.fixture(scope="session")
def experiment(request: pytest.FixtureRequest, scale: Scale) -> Experiment:
    """Return one experiment of the catalogue, at this scale."""
    if not hasattr(request, "param"):
        reason = "the fixture experiment has values only where a test asks for the fixture measure as well"
        pytest.fail(f"{reason}; add measure to the arguments of this test", pytrace=False)
    return scale.apply(experiments.find(request.param))


@pytest.fixture(scope="session")
def load(request: pytest.FixtureRequest) -> Load:
    """Return a function (experiment, seed) -> Split or Stream that skips the case when nobody has the data."""
    from autoenc_bench.core import data

    distribution = request.config.stash[CONFIGURATION].distribution
    lacking: dict[str, str] = {}

    @lru_cache(maxsize=2)  # the two crude experiments share theirs
    def cached(name: str, rows: int, features: int, seed: int) -> "Split | Stream":
        return data.load(name, rows=rows, features=features, seed=seed)

    def load(experiment: Experiment, seed: int = 0) -> "Split | Stream":
        if experiment.data not in lacking:
            try:
                return cached(experiment.data, experiment.rows, experiment.features, seed)
            except NotFoundError as problem:
                lacking[experiment.data] = str(problem)
            except InvalidInputError as problem:
                pytest.fail(str(problem), pytrace=False)
        if distribution and distribution.several:  # the others may have them, and would wait
            pytest.fail(lacking[experiment.data], pytrace=False)
        pytest.skip(lacking[experiment.data])

    return load


@pytest.fixture(scope="session")
def split(experiment: Experiment, load: Load) -> "Split | Stream":
    """Return the data of seed 0."""
    return load(experiment)


@pytest.fixture(scope="session")
def prepare(experiment: Experiment, load: Load) -> Callable[..., "Trainer"]:
    """Return a function (trainer, seed, new) -> Trainer, kept for the cases that follow."""
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


class Measure:
    """Time one case by pytest-benchmark, and keep what the case notes about itself in its ``extra_info``."""

    PART = 0.05  # seconds of a whole experiment after which the reference workload runs again, once an epoch ends

    def __init__(
        self,
        benchmark: Any,
        scale: Scale,
        facts: dict[str, Any],
        session: Session,
        turns: Turns | None = None,
        explained: Path | None = None,
    ) -> None:
        self._benchmark, self._scale, self._session = benchmark, scale, session
        self._turns, self._explained = turns, explained
        self._begun: Reading | None = None  # when the round did that runs
        self._references: list[float] = []  # before and in the round
        self._parts: list[float] = []  # its seconds from one of them to the next
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
        counts: "Callable[[], Counted] | bool" = True,
        **facts: Any,
    ) -> T:
        """Time ``target(*args)``, each round after ``setup()``; ``rows`` are the samples it processes.

        As many rounds as the scale says, unless ``rounds`` does, follow an untimed one that warms up. Without
        ``warm_up`` there is none: the case measures a first call, or has warmed up by itself. The reference workload
        runs outside the clock, directly before each round (``setup`` may take long) and after the last one. Then
        ``meet()`` lets processes begin a round together. In a live comparison all cases warm up, and rounds are
        interleaved with those of other processes, which show better how fast the machine is.
        Afterwards ``counts()`` returns what the case does, and by default one more call is counted.
        """
        turns = self._turns if self._turns and self._turns.rounds else None
        rounds = turns.rounds if turns else rounds or self._scale.rounds
        measured: list[tuple[Reading, Reading, float]] = []  # the clock before and after a round, and its reference

        def finish_round(ended: Reading) -> None:
            latest = 0.0 if turns else reference.seconds()
            if self._begun:
                measured.append((self._begun, ended, self._beside(latest)))
            self._references, self._parts = [latest], [0.0]

        def prepare_round() -> None:
            ended = CLOCK.read()
            if turns and turns.is_interleaved:
                turns.wait()
            if setup:
                setup()
            finish_round(ended)
            if meet:
                meet()
            self._begun = CLOCK.read()

        watch = memory.MemoryWatch(backends.current())
        # With timing off the target runs once.
        skipped = int(self._benchmark.enabled and (warm_up or turns is not None))
        result: T = self._benchmark.pedantic(target, args, setup=prepare_round, rounds=rounds, warmup_rounds=skipped)
        ended = CLOCK.read()
        used = watch.read()
        finish_round(ended)
        timed = measured[skipped : skipped + rounds]  # --benchmark-cprofile adds one
        beside = {"between": turns.between[-rounds:]} if turns else {"reference": [one for *_, one in timed]}  # or none
        self.note(rows=rows, memory=used, **beside, **_accounts(timed), **facts)
        if counts and not meet:
            self._look_aside(counts if callable(counts) else None, partial(target, *args), setup)
        return result

    def _look_aside(self, counts: "Callable[[], Counted] | None", call: Callable[[], object], setup: Call) -> None:
        """Note what the case does, and keep what explains it, where a live comparison asks for that in one visit."""
        name, known = self._benchmark.name.removeprefix("test_"), self._session.counts
        alone = ("counts", "profile") if self._benchmark.enabled else ()
        asked = (self._turns.instrumentation,) if self._turns else alone
        if "counts" in asked and find_spec(COUNTING):  # code from before there were counts has none
            counted = counts() if counts else import_module(COUNTING).of_calls(call)
            known[name] = counted.counts
            if self._explained:
                artifacts.keep_programs(self._explained / name, counted.texts)
        if "profile" in asked and self._explained:
            artifacts.keep_profile(self._explained / name, call, setup)
        if name in known:
            self.note(counts=known[name])

    def epoch(self, done: int, latest: "Epoch") -> None:
        """Look at the machine between a whole experiment's epochs, while the clock is paused."""
        self._parts[-1] += latest.seconds
        if self._parts[-1] >= self.PART:
            with CLOCK.during(Mode.PAUSE):
                self._references.append(reference.seconds())
                self._parts.append(0.0)
                self._session.progress.epoch(done)

    def _beside(self, latest: float) -> float:
        """Return the reference's seconds beside a round: of one in parts, what makes its quotient the sum of theirs."""
        around = [(before + after) / 2 for before, after in pairwise([*self._references, latest])]
        if len(around) == 1:
            return around[0]
        return sum(self._parts) / sum(part / beside for part, beside in zip(self._parts, around, strict=True))

    def note(self, **facts: Any) -> None:
        """Add facts to the case's record."""
        self._benchmark.extra_info["autoenc"].update(msgspec.to_builtins(facts))

    def show(self, image: tuple[int, int], pictures: Pictures) -> None:
        """Keep pictures of some samples in the record's side file; ``image`` is their shape."""
        self.note(image=image)
        self._session.pictures.update({f"{self._benchmark.param}/{name}": array for name, array in pictures.items()})


@pytest.fixture
def measure(request: pytest.FixtureRequest, benchmark: Any, scale: Scale) -> Measure:
    """Return what times this case."""
    known = axes(request.node)
    facts = {
        "experiment": known.get("experiment", ""),
        "phase": phase(request.node),
        "backend": backends.name(),
        "seed": known.get("seed", 0),
    }
    facts.update({axis: known[axis] for axis in ("trainer", "batch") if axis in known})
    config = request.config
    turns, explained = config.stash.get(TURNS, None), config.option.explain
    return Measure(benchmark, scale, facts, config.stash[SESSION], turns, explained)


def _accounts(measured: list[tuple[Reading, Reading, float]]) -> dict[str, list[float]]:
    """Return what the clock knows of each round beside its seconds, by the names that a record has for it."""
    accounts = {}
    for name in ("cpu", "queued", "stolen", "idle", "set_up"):
        ends = [(getattr(before, name), getattr(after, name)) for before, after, _ in measured]
        if None not in ends[0]:
            accounts[name] = [after - before for before, after in ends]
    if not any(accounts["set_up"]):  # only fit has any
        del accounts["set_up"]
    return accounts


@pytest.fixture
def prepare_scaling(request: pytest.FixtureRequest, experiment: Experiment, load: Load, devices: int) -> Scaling:
    """Return a function (weak) -> DataParallelTrainer that skips the case where batch or rows do not allow it."""
    from autoenc_bench.distributed.data_parallel import DataParallelTrainer

    distribution = request.config.stash[CONFIGURATION].distribution
    assert distribution  # else these cases are not collected

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
