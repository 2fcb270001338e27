"""The pytest side of the suite: options, fixtures, progress, and the saved record.

The root conftest.py names it. It is no entry point of pytest's, for ``--rows`` and ``--scale`` are no options of
everybody's tests. A live comparison lays this folder over the base's package, so it uses few names of the others:
tests/plugin/test_surface.py lists them.
"""

pytest_plugins = ("autoenc_bench.plugin.options", "autoenc_bench.plugin.session", "autoenc_bench.plugin.fixtures")
