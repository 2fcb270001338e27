"""List the experiments of the catalogue, with their data and layers."""

import argparse
from dataclasses import replace

from autoenc_bench.catalogue.experiments import EXPERIMENTS, Experiment
from autoenc_bench.formatting import Cell, Columns, Table


def run(_: argparse.Namespace) -> str:
    columns: Columns[Experiment] = (
        ("experiment", lambda row: Cell(row.name)),
        ("section of the notebook", lambda row: Cell(row.title)),
        ("parameters", lambda row: Cell(f"{row.parameters:,}", row.parameters)),
        ("data, layers and training", lambda row: Cell(row.describe())),
    )
    table = Table.of(columns, EXPERIMENTS.values())
    return replace(table, align=("left", "left", "right", "left")).text()
