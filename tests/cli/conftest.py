"""Fixtures that tests of several commands share."""

import pytest
import strangers


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Write all third-party records once; no test changes them."""
    return strangers.write(tmp_path_factory.mktemp("strangers"))


@pytest.fixture
def beside_third_party_records(there, monkeypatch):
    """Run beside the records, and outside of a GitHub Actions job."""
    monkeypatch.chdir(there)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
