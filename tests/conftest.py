"""What every test shares: Hypothesis without deadlines, and an environment that lets child processes time."""

import os

import pytest
from hypothesis import HealthCheck, settings

# The first example of a shape compiles.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def without_xdist():
    """Hide pytest-xdist from the processes that tests start: under it pytest-benchmark times nothing."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PYTEST_XDIST")]:
            patch.delenv(name)
        yield
