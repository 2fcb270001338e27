"""The pytest side of the suite: options, fixtures, progress, and the saved record.

It is no entry point of pytest's, for ``--rows`` is no option of everybody's tests. A live comparison lays it over the
base's package, so it uses few names of the other folders: tests/plugin/test_surface.py lists them.
"""

pytest_plugins = (
    "autoenc_bench.plugin.options",
    "autoenc_bench.plugin.session",
    "autoenc_bench.plugin.turns",
    "autoenc_bench.plugin.artifacts",
    "autoenc_bench.plugin.fixtures",
)
