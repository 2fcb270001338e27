"""A machine's contexts are listed where it has several."""

import histories

from autoenc_bench.history import tables


def test_listed_contexts(tmp_path):
    """Two contexts have a line each, with what changed; one alone has none, since the machine's line says it all."""
    made = [histories.content(0), histories.content(1, keras="3.2"), histories.content(2, machine=histories.OTHER)]
    several, alone = histories.read(tmp_path, made).machines
    assert tables.contexts(several) == ["   A1: 1 run", "   A2: 1 run from 2026-01-02, keras 3.1 → 3.2"]
    assert tables.contexts(alone) == []
