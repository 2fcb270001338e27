"""A headless browser for tests of pages; the tests are skipped without one."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

api = pytest.importorskip("playwright.sync_api", reason="the browser tests need 'pip install playwright'")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="the browser tests need 'pip install axe-playwright-python'"
)
# CHROMIUM names a browser; else one on the path, else the one that 'playwright install chromium' brings.
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1200, "height": 900}


@pytest.fixture(scope="module")
def browser():
    """Start a headless browser, or skip the test if there is none."""
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with api.sync_playwright() as playwright:
        if not named and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no browser: install chromium, or name one in the variable CHROMIUM")
        # Without a sandbox, for containers run tests as root; the page is our own. A busy machine may take its time.
        started = playwright.chromium.launch(executable_path=named, args=["--no-sandbox"], timeout=0)
        yield started
        started.close()


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    """Return a colour scheme."""
    return request.param


@contextmanager
def visit(browser, written, **settings):
    """Open the page; at the end assert that it printed nothing to the console and fetched nothing else."""
    context = browser.new_context(**settings)
    context.set_default_timeout(0)
    page = context.new_page()
    printed, requested = [], []
    page.on("console", lambda message: printed.append(message.text))
    page.on("pageerror", lambda error: printed.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    page.goto(written.as_uri())
    yield page
    assert printed == []
    assert {url for url in requested if not url.startswith("data:")} == {written.as_uri()}
    context.close()
