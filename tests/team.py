"""One process of a distributed training: ``python tests/team.py ROWS DEVICES COORDINATOR N I``; - stands for none.

It prints as JSON how far losses and weights of crude-complex after an epoch on all devices are from those on one.
"""

import json
import os
import sys
from dataclasses import replace

import numpy as np

from autoenc_bench.catalogue.experiments import find
from autoenc_bench.core import data
from autoenc_bench.distributed import runtime


def main(rows, *options):
    """Train on one device and on all."""
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ["NPROC"] = "1"
    distribution = runtime.parse(*(None if option == "-" else option for option in options))
    distribution.start(print, "")
    # Here, for it loads Keras, and JAX must have its devices before.
    from autoenc_bench.distributed.data_parallel import Team, plan

    experiment = replace(find("crude-complex"), rows=rows)
    split = data.load("uniform", rows=rows * 10 // 9 + 1, features=experiment.features, seed=0)
    counts = 1, distribution.counts[-1]
    planned = [plan(experiment, split.rows, count, steps=rows) for count in counts]
    teams = [Team(one, split, distribution.choose(count)) for one, count in zip(planned, counts, strict=True)]
    start = weights(teams[0])
    losses = [team.train()[-1] for team in teams]
    distribution.leave()
    said = {
        "devices": distribution.counts[-1],
        "writes": distribution.writes,
        "rows": planned[1].rows,
        "steps": planned[1].steps,
        "trained": float(np.abs(weights(teams[0]) - start).max()),
        "loss": abs(losses[0].loss - losses[1].loss),
        "val_loss": abs(losses[0].val_loss - losses[1].val_loss),
        "weights": float(np.abs(weights(teams[0]) - weights(teams[1])).max()),
    }
    print(json.dumps(said))


def weights(team):
    """Return all weights as one vector."""
    return np.concatenate([np.ravel(np.asarray(value)) for value in team.trainer.model.trainable_variables])


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
