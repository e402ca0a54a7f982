"""Pages are as they were when somebody last looked at them: tests/golden/pages/.

Their figures are made of results that are made up here, and taken without letters, of which each
machine has its own, at half the size.  After a change that is meant
`NEUROLAB_RENEW_PICTURES=1 pytest tests/test_golden_pages.py` takes them anew: look at each before
it is committed.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.testing.compare import compare_images
from PIL import Image
from test_golden import B8, FASTER, GOLDEN, MANY_NAMES, both, cells, step_of_current
from test_report_pictures import key, made

from neurolab.report import write_report

pytest_plugins = ["browser"]

PAGES = GOLDEN / "pages"
#: Root mean square of the difference, of 255: another font moves frames by a pixel or two.
TOLERANCE = 9.0
WIDTH = 1000
BARE = """
    const style = document.createElement("style");
    style.textContent = "* { color: transparent !important; transition: none !important; }"
      + " svg text { fill: transparent !important; } .modebar { display: none; }";
    document.head.append(style);
    const figure = document.getElementById(arguments[0]);
    window.scrollTo(0, 0);
    const { x, y, width, height } = figure.getBoundingClientRect();
    return { x: x + scrollX, y: y + scrollY, width, height, scale: 1 };
"""
R9 = np.arange(10.0, 100.0, 10.0)


def of_run(folder: Path) -> Path:
    return write_report(cells(folder, step_of_current()).path)


def of_map(folder: Path) -> Path:
    rates = both(n=(8, 9))
    return made(folder, rates, key("neuron.b", B8), key("input.rate", R9), bad=[5])[0]


def of_names(folder: Path) -> Path:
    rates = FASTER * both()[:, 4]
    return made(folder, rates, key("neuron", MANY_NAMES), key("neuron.b", B8), bad=[100])[0]


#: The page, what follows its address, the theme, and the figure.
TAKEN: dict[str, tuple[Callable[[Path], Path], str, str, str]] = {
    "raster": (of_run, "", "light", "raster"),
    "traces": (of_run, "", "dark", "traces"),
    "stimulus": (of_run, "", "light", "stimulus"),
    "map": (of_map, "#contours=yes&filter=b%3C45", "light", "plot"),
    "lines": (of_map, "#y=the+value+(lines)&colour=neuron.b+(ms)", "dark", "plot"),
    "panels": (of_names, "", "light", "plot"),
    "parallel": (of_map, "#view=parallel", "light", "parallel"),
    "importance": (of_map, "#view=importance", "light", "importance"),
}


def taken(browser, name: str, folder: Path, change: str = "") -> bytes:
    """A figure of a page, as a PNG of half its size; after a script of its own."""
    make, address, theme, figure = TAKEN[name]
    page = make(folder)
    browser.open(page, theme, WIDTH)
    if address:
        browser.driver.get("about:blank")
        browser.driver.get(page.as_uri() + address)
    browser.wait("return document.getElementById(arguments[0])?.data", figure)
    screen = {"width": WIDTH, "height": 2400, "deviceScaleFactor": 1, "mobile": False}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser("return new Promise((done) => setTimeout(done, 400))")  # Plotly fits its figures
    if change:
        browser(change)
    clip = browser(BARE, figure)
    found = browser.driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"format": "png", "clip": clip}
    )
    whole = Image.open(io.BytesIO(base64.b64decode(found["data"]))).convert("RGB")
    assert browser.errors() == []
    kept = io.BytesIO()
    whole.resize((whole.width // 2, whole.height // 2), Image.Resampling.BOX).save(kept, "PNG")
    return kept.getvalue()


@pytest.mark.parametrize("name", TAKEN)
def test_a_page_is_as_it_was(browser, tmp_path, name):
    (tmp_path / f"{name}.png").write_bytes(taken(browser, name, tmp_path / "page"))
    golden = PAGES / f"{name}.png"
    if os.environ.get("NEUROLAB_RENEW_PICTURES"):
        golden.parent.mkdir(exist_ok=True)
        Image.open(tmp_path / f"{name}.png").quantize(64).save(golden, optimize=True)
    told = compare_images(str(golden), str(tmp_path / f"{name}.png"), TOLERANCE)
    assert told is None, told


def test_a_line_that_is_missing_is_seen(browser, tmp_path):
    """The tolerance is less than what anybody would see."""
    hidden = "return Plotly.restyle('plot', {visible: false}, [3])"
    (tmp_path / "lines.png").write_bytes(taken(browser, "lines", tmp_path / "page", hidden))
    golden = str(PAGES / "lines.png")
    assert compare_images(golden, str(tmp_path / "lines.png"), TOLERANCE) is not None


def test_every_golden_page_is_taken():
    assert {path.stem for path in PAGES.glob("*.png")} == set(TAKEN)
