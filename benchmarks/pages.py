"""Pages in a browser: how long they take to write and to open, what they weigh, how they zoom.

    python -m benchmarks.pages

A run of 1000 neurons for 10 s (200,000 spikes), a sweep of 20 x 50 points, and an index of 1000
runs, in headless Chromium; without a GPU, the slow case.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import neurolab
from neurolab.report import write_index, write_report

_BROWSER = Path(__file__).parent.parent / "tests"
_SWEEP = ("neuron=adexif_ref", "input.rate=linspace:12Hz:30Hz:20", "neuron.b=linspace:0mA:50mA:50")
_RUN = ("neuron=adexif_ref", "size=1000", "duration=10s", "input.rate=20Hz")
_REPEATS = 5
#: A zoom by the page's own buttons until two frames are shown, and what of it is the page's work.
_ZOOM = """
const done = arguments[0], buttons = [...document.querySelectorAll("button")];
const click = (label) => buttons.find((one) => one.ariaLabel === label).click();
const frames = () => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)));
(async () => {
  const times = [];
  for (const label of ["zoom in", "zoom in", "later", "zoom in", "later", "zoom in", "zoom out"]) {
    const began = performance.now();
    click(label);
    const work = performance.now() - began;
    await frames();
    times.push([work, performance.now() - began]);
    await new Promise((r) => setTimeout(r, 1500));
  }
  done(times);
})();
"""


def main() -> int:
    """Measure, and print a table."""
    sys.path.insert(0, str(_BROWSER))
    import browser

    with tempfile.TemporaryDirectory() as name:
        outputs = Path(name) / "outputs"
        neurolab.run(_RUN, outputs / "run")
        neurolab.run_sweep(_SWEEP, outputs / "sweep")
        small = outputs / "many" / "0"
        neurolab.run(["size=20", "duration=200ms"], small)
        for i in range(1, 1000):
            shutil.copytree(small, small.with_name(str(i)))
        driver = browser.start(Path(name) / "profile", (1920, 1080))
        driver.set_script_timeout(120)
        try:
            driver.get("about:blank")
            _line("page", "write s", "MB", "open s", "first paint s")
            pages = {
                "run, 200,000 spikes": lambda: write_report(outputs / "run"),
                "run, 20 neurons, 0.2 s": lambda: write_report(small),
                "sweep, 1000 points": lambda: write_report(outputs / "sweep"),
                "index, 1000 runs": lambda: write_index(outputs / "many"),
            }
            for title, write in pages.items():
                _page(driver, title, write)
            driver.get((outputs / "run" / "report.html").as_uri())
            work, shown = zip(*driver.execute_async_script(_ZOOM), strict=True)
            print(f"zoom of the raster: {median(work):.0f} ms of the page, {median(shown):.0f} ms "
                  "until it is shown")  # fmt: skip
        finally:
            driver.quit()
    return 0


def _page(driver: Any, title: str, write: Any) -> None:
    written, opened, paint = [], [], []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        page = write()
        written.append(time.perf_counter() - began)
        driver.get("about:blank")
        driver.get(page.as_uri())
        entry = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        opened.append(driver.execute_script(f"return {entry} / 1e3"))
        first = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
        paint.append(driver.execute_script(f"return ({first}) / 1e3"))
    size = page.stat().st_size / 1e6
    times = [f"{median(values):.2f}" for values in (opened, paint)]
    _line(title, f"{median(written):.2f}", f"{size:.2f}", *times)


def _line(*cells: str) -> None:
    print(f"{cells[0]:24}" + "".join(f"{cell:>16}" for cell in cells[1:]))


if __name__ == "__main__":
    sys.exit(main())
