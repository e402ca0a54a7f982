"""A headless Chromium for the tests that ask for it: `pytest_plugins = ["browser"]`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--disable-3d-apis",  # no page needs WebGL
)  # fmt: skip


def start(profile: Path, size: tuple[int, int] = (1280, 900)) -> Any:
    """A new browser.

    Raises
    ------
    FileNotFoundError
        There is none, or no driver for it.
    """
    binary = next(filter(None, map(shutil.which, NAMES)), None)
    chromedriver = shutil.which("chromedriver")
    if binary is None or chromedriver is None:
        raise FileNotFoundError(f"no {' or '.join(NAMES)} with chromedriver on this machine")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    own = (f"--user-data-dir={profile}", f"--window-size={size[0]},{size[1]}")
    for flag in (*FLAGS, *own):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))


class Browser:
    """What the tests do with a page."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path, theme: str = "light", width: int = 1280) -> None:
        """Open a page in a window of this width, for a user who prefers this theme."""
        media = {"features": [{"name": "prefers-color-scheme", "value": theme}]}
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.driver.get(page.as_uri())
        self.wait("return document.readyState === 'complete'")  # get() may come back before that

    def __call__(self, script: str, *arguments: Any) -> Any:
        """The value of a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: Any) -> Any:
        """The value of a script as soon as it is true."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 10, 0.05).until(lambda _: self(script, *arguments))

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        return self(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)", selector
        )

    def type(self, selector: str, text: str) -> None:
        """Replace what is in a field."""
        self.find(selector).clear()
        self.find(selector).send_keys(text)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other, where the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def choose(self, selector: str, text: str) -> None:
        from selenium.webdriver.support.ui import Select

        Select(self.find(selector)).select_by_visible_text(text)

    def drag(self, selector: str, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag the mouse between two places, given as parts of an element's width and height."""
        from selenium.webdriver import ActionChains

        element = self.find(selector)
        self("arguments[0].scrollIntoView({block: 'center'})", element)
        size = element.size
        places = [((x - 0.5) * size["width"], (y - 0.5) * size["height"]) for x, y in (begin, end)]
        actions = ActionChains(self.driver, duration=80)
        actions.move_to_element_with_offset(element, *map(round, places[0])).click_and_hold()
        actions.move_to_element_with_offset(element, *map(round, places[1])).release().perform()

    def hover(self, selector: str, at: tuple[float, float]) -> None:
        """Move the mouse to a place, given as parts of an element's width and height."""
        from selenium.webdriver import ActionChains

        element = self.find(selector)
        self("arguments[0].scrollIntoView({block: 'center'})", element)
        size = element.size
        x, y = (at[0] - 0.5) * size["width"], (at[1] - 0.5) * size["height"]
        ActionChains(self.driver).move_to_element_with_offset(element, round(x), round(y)).perform()

    def click(self, selector: str, at: tuple[float, float]) -> None:
        self.drag(selector, at, at)

    def errors(self) -> list[str]:
        """What the console has to complain about."""
        return [
            one["message"] for one in self.driver.get_log("browser") if one["level"] == "SEVERE"
        ]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser.

    Where there is none the test is skipped, unless NEUROLAB_REQUIRE_BROWSER is set, as CI does.
    """
    try:
        driver = start(tmp_path_factory.mktemp("profile"))
    except FileNotFoundError as error:
        told: Callable[[str], Any] = pytest.skip
        if os.environ.get("NEUROLAB_REQUIRE_BROWSER"):
            told = pytest.fail
        told(str(error))
        return
    try:
        yield Browser(driver)
    finally:
        driver.quit()
