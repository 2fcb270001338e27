"""List the experiments of the catalogue, with their data and layers."""

import argparse

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.formatting import Cell, Table


def run(_: argparse.Namespace) -> str:
    rows = [(Cell(row.name), Cell(f"{row.parameters:,}"), Cell(row.describe())) for row in EXPERIMENTS.values()]
    return Table(("experiment", "parameters", "what"), rows, align=["left"] * 3).text()
