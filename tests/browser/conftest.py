"""A headless Chromium.  Where there is none the tests are skipped; LIT_REQUIRE_BROWSER=1 makes that a failure."""

import os
import shutil

import pytest

_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
_HOW = "install them with: apt-get install chromium chromium-driver (and pip install selenium)"


def _program(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        _missing(f"there is no {names[0]} on this machine; {_HOW}")
    return found


def _missing(reason: str) -> None:
    if os.environ.get("LIT_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """Chromium with the logs of its console and of its network."""
    browser = _program("chromium", "chromium-browser", "google-chrome")
    service_path = _program("chromedriver")
    try:
        from selenium import webdriver
    except ImportError:
        _missing(f"selenium is not installed; {_HOW}")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*_FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(service_path))
    yield driver
    driver.quit()


_READY = "return location.href === arguments[0] && document.readyState === 'complete'"


@pytest.fixture
def show(driver, tmp_path):
    """Opens a page and waits until it is there; returns the driver."""
    from selenium.webdriver.support.wait import WebDriverWait

    def show(html: str, *, width: int = 1000, scheme: str = "light"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get("about:blank")
        for log in ("browser", "performance"):
            driver.get_log(log)
        path = tmp_path / "report.html"
        path.write_text(html, encoding="utf-8")
        driver.get(path.as_uri())
        # `get` may come back while a long page is still being read.
        WebDriverWait(driver, 30).until(lambda d: d.execute_script(_READY, path.as_uri()))
        return driver

    return show
