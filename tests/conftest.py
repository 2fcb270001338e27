"""What every test shares: Hypothesis without deadlines, for the first example of a shape compiles."""

from hypothesis import HealthCheck, settings

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
