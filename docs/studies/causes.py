"""Measure whether ``why`` names the right cause: ``python docs/studies/causes.py`` injects twelve causes.

Each cause is a changed line of the trainers, or of what they use, on a branch of a temporary clone. ``why`` runs each
side once, for a few seconds. why.md has the results.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tabulate import tabulate

ROOT = Path(__file__).parents[2]
TRAINING, TENSORFLOW = "autoenc_bench/core/training.py", "autoenc_bench/backends/tensorflow.py"
STEP = "autoenc_bench/backends/adam_step.py"
LOSS = "            value = loss(batch, model(batch, training=True))\n"
EPOCH = "        self._order[:rows] = self._permute(rows, shuffle)\n"
FUSED, FIT, LARGE = "epoch[digits-fused]", "epoch[digits-fit]", "epoch[crude-simple-fused]"


class Injection(NamedTuple):
    """A cause: the change of a file, and words of the cause that ``why`` must name first."""

    name: str
    path: str
    old: str
    new: str
    expected: str
    case: str = FUSED
    scale: str = "smoke"


INJECTIONS = (
    Injection(
        "an extra operation in the step",
        STEP,
        LOSS,
        f"            batch = tf.gather(batch, tf.argsort(batch[:, 0]))\n{LOSS}",
        "the program changed: +",
    ),
    Injection(
        "a lost fusion",
        STEP,
        LOSS,
        "            from tensorflow.compiler.tf2xla.ops import gen_xla_ops\n"
        f"            (batch,) = gen_xla_ops.xla_optimization_barrier(input=[batch * 1.01])\n{LOSS}",
        "the program changed: ",
    ),
    Injection(
        "float64 in between",
        STEP,
        LOSS,
        f"{LOSS}            value = tf.cast(tf.exp(tf.math.log(tf.cast(value, tf.float64))), tf.float32)\n",
        "× f64",
    ),
    Injection(
        "a host copy per batch",
        TRAINING,
        EPOCH,
        f"{EPOCH}        for first in range(0, rows, self.batch_size):\n"
        "            np.copy(self._rows[0][first : first + self.batch_size])\n",
        "Python's calls changed: ",
    ),
    Injection(
        "a sleep",
        TRAINING,
        EPOCH,
        f"{EPOCH}        import time\n\n        time.sleep(0.005)\n",
        "time.sleep 1 × instead of 0",
    ),
    Injection(
        "a retrace per epoch",
        TRAINING,
        EPOCH,
        f"{EPOCH}        self._program = selection.current().compile_epoch(self._trainable, self.batch_size)\n",
        "Python's calls changed: ",
    ),
    Injection(
        "a slower formula of the optimizer",
        TRAINING,
        "keras.optimizers.Adam()",
        "keras.optimizers.Adam(global_clipnorm=1e9)",
        "the program changed: ",
    ),
    Injection(
        "an extra callback",
        TRAINING,
        "callbacks=list(callbacks)",
        "callbacks=[*callbacks, keras.callbacks.LambdaCallback(on_train_batch_end=lambda *_, **__: None)]",
        "calls in a step: ",
        FIT,
    ),
    Injection(
        "validation done twice",
        TRAINING,
        "                self._fit(part, epochs, shuffle, callback)\n",
        "                self._fit(part, epochs, shuffle, callback)\n"
        "                self.model.evaluate(part.test, part.test, batch_size=self.batch_size, verbose=0)\n",
        "evaluate",
        FIT,
    ),
    Injection(
        "a larger batch validated",
        "autoenc_bench/backends/protocol.py",
        "BLOCK = 1_024, 2**17",
        "BLOCK = 2**20, 2**30",
        "the program changed: ",
        LARGE,
        "standard",
    ),
    Injection(
        "a copy in the preparation",
        TRAINING,
        "return self._random.permutation(order) if shuffle else order",
        "return (self._random.permutation(order) if shuffle else order).copy()",
        "ndarray.copy",
    ),
    Injection(
        "another number of threads",
        TENSORFLOW,
        "tf.config.threading.set_intra_op_parallelism_threads(threads)",
        "tf.config.threading.set_intra_op_parallelism_threads(2 * threads)",
        "counts are equal",
    ),
)


def ask(clone: Path, injection: Injection) -> tuple[str, str, str]:
    """Inject a cause on a branch; return its name, whether ``why`` named it first, and what ``why`` printed."""
    git(clone, "checkout", "--quiet", "-B", "injected", "origin/HEAD")
    path = clone / injection.path
    text = path.read_text()
    assert text.count(injection.old) == 1, injection.name
    path.write_text(text.replace(injection.old, injection.new))
    author = ("-c", "user.name=Study", "-c", "user.email=study@example.org")
    git(clone, *author, "commit", "--quiet", "--all", "--message", injection.name)
    command = [sys.executable, "-m", "autoenc_bench.cli", "why", "origin/HEAD", "injected", injection.case]
    done = subprocess.run(
        [*command, "--", "--scale", injection.scale], cwd=clone, capture_output=True, text=True, check=False
    )
    cause = (done.stdout or done.stderr).splitlines()[0].partition(": ")[2]
    return injection.name, "yes" if injection.expected in cause else "no", cause


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", *arguments], cwd=folder, check=True)


def main() -> None:
    """Inject each cause, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="causes whose names contain this")
    chosen = parser.parse_args()
    rows = []
    with TemporaryDirectory() as temporary:
        clone = Path(temporary) / "clone"
        git(ROOT, "clone", "--quiet", str(ROOT), str(clone))
        for injection in INJECTIONS:
            if chosen.only in injection.name:
                rows.append(ask(clone, injection))
                print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    print(tabulate(rows, ("injected", "right", "the first cause"), tablefmt="github"))


if __name__ == "__main__":
    main()
