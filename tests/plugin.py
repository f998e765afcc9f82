"""Loaded by `-p tests.plugin`: a Postgres and a Valkey of the tests' own, and a browser for those that need one.

The servers start when this is imported, for pytest-django reads the settings soon after. DATABASE_URL and REDIS_URL
in the environment take their place. Each worker process of pytest-xdist has servers of its own, since tests wipe Redis,
cut its connections and ask Postgres who is connected.
"""

import contextlib
import os
import shutil
import tempfile

import pytest

from rankr_dash import embedded

OWN = "TESTS_OWN_SERVICES"  # names what we started ourselves; xdist's workers inherit it

services = contextlib.ExitStack()
for name in os.environ.pop(OWN, "").split():
    del os.environ[name]
if missing := {"DATABASE_URL", "REDIS_URL"} - os.environ.keys():
    try:
        urls = services.enter_context(embedded.throwaway())
    except embedded.ServicesError as error:
        raise pytest.UsageError(str(error)) from None
    started = {"DATABASE_URL": urls.database, "REDIS_URL": urls.redis}
    os.environ |= {name: started[name] for name in missing} | {OWN: " ".join(missing)}
# Whoever sweeps takes in every webhook that waits in this folder, into the database of its own.
os.environ["WEBHOOK_SPOOL"] = services.enter_context(tempfile.TemporaryDirectory(prefix="rankr-spool-"))


def pytest_unconfigure():
    services.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Browser tests last: Playwright keeps an event loop in this thread, and async_to_sync refuses to share it.

    Long ones first, so that all workers end at about the same time.
    """
    items.sort(key=lambda item: ("browser" in getattr(item, "fixturenames", ()), "processes" not in item.keywords))


# --- The browser ------------------------------------------------------------------------------------------------------

BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
MAC_BROWSERS = ("Google Chrome", "Chromium")
BROWSER_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_BROWSER = (
    "Browser tests need Chromium: install it (Debian: apt-get install chromium; anywhere: "
    "python -m playwright install chromium), or let CHROMIUM name the program."
)


def find_browser(bundled):
    """$CHROMIUM, then PATH, then macOS, then the one Playwright may have downloaded; None if there is none."""
    asked = os.environ.get("CHROMIUM")
    candidates = (
        [asked]
        if asked
        else [
            *(shutil.which(name) for name in BROWSER_NAMES),
            *(f"/Applications/{name}.app/Contents/MacOS/{name}" for name in MAC_BROWSERS),
            bundled,
        ]
    )
    return next((found for found in candidates if found and os.access(found, os.X_OK)), None)


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = find_browser(playwright.chromium.executable_path)
        if program is None:
            must = os.environ.get("CI") or os.environ.get("E2E_REQUIRED")
            (pytest.fail if must else pytest.skip)(NO_BROWSER)
        # Playwright's own event loop runs in this thread, which Django would take for a mistake of ours.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        browser = playwright.chromium.launch(executable_path=program, args=list(BROWSER_ARGUMENTS))
        yield browser
        browser.close()
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def new_context(browser):
    """Makes a browser of one more person; the test fails if any page of theirs had an error or broke the CSP."""
    troubles = []
    with contextlib.ExitStack() as at_the_end:

        def make(**options):
            defaults = {
                "locale": "en-GB",
                "timezone_id": "Europe/London",
                "viewport": {"width": 1280, "height": 900},
                "reduced_motion": "reduce",
            }
            context = browser.new_context(**defaults | options)
            at_the_end.callback(context.close)
            context.set_default_timeout(15_000)
            context.on("weberror", lambda error: troubles.append(f"uncaught: {error.error}"))
            context.on("console", hear)
            return context

        def hear(message):
            if "Content Security Policy" in message.text:
                troubles.append(message.text)

        make.troubles = troubles
        yield make
        flush(browser)
    if troubles:
        pytest.fail("The browser complained:\n" + "\n".join(troubles), pytrace=False)


@pytest.fixture
def context(new_context):
    return new_context()


@pytest.fixture
def page(context):
    return context.new_page()


def flush(browser):
    """Events arrive while Playwright is being talked to: ask each page one thing, so that none is missed."""
    from playwright.sync_api import Error

    for context in browser.contexts:
        for page in context.pages:
            with contextlib.suppress(Error):
                page.evaluate("1")
