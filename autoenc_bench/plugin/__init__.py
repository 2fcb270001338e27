"""The pytest side of the suite: options, fixtures, progress, and the saved record. No other folder imports it.

A project's ``conftest.py`` names it as a plugin. It is not an entry point of pytest, because other projects' tests do
not need an option such as ``--rows``. A live comparison lays it over the base's package, so it uses few names of the
other folders: tests/plugin/test_surface.py lists them.
"""

pytest_plugins = [
    f"autoenc_bench.plugin.{module}" for module in ("options", "session", "record", "turns", "artifacts", "fixtures")
]
