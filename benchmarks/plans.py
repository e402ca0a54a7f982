"""Plans of many points: seconds to compose and read, memory, and what they leave.

    python -m benchmarks.plans            # 10^5 points, a grid and Sobol samples, computed
    python -m benchmarks.plans 1000000    # 10^6 Sobol points: composed, read and tabulated

Each in a process of its own, ten neurons for 1 ms; pages in headless Chromium where it is there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_SHORT = ("size=10", "duration=1ms", "record=summary")
_KEYS = (
    "input.rate=sobol:10Hz:40Hz:{n}",
    "neuron.tau=sobol:5ms:20ms:{n}",
    "neuron.V_th=sobol:1mV:2mV:{n}",
    "input.weight=sobol:1rheobase*ms:3rheobase*ms:{n}",
)
_BROWSER = Path(__file__).parent.parent / "tests"


def main(arguments: list[str]) -> int:
    """Measure, and print a table."""
    if arguments[:1] == ["one"]:
        print(json.dumps(_one(*arguments[1:])))
        return 0
    n = int(arguments[0]) if arguments else 10**5
    side = round(n**0.5)
    plans = {f"Sobol, 4 keys, {n:,}": [text.format(n=n) for text in _KEYS]}
    if n <= 10**5:
        grid = [f"input.rate=linspace:10Hz:40Hz:{side}", f"neuron.tau=linspace:5ms:20ms:{side}"]
        plans = {f"grid {side} x {side}": grid} | plans
    for name, overrides in plans.items():
        with tempfile.TemporaryDirectory() as folder:
            computed = "computed" if n <= 10**5 else "read"
            call = [sys.executable, "-m", "benchmarks.plans", "one", computed, folder, *overrides]
            done = subprocess.run(call, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            page = Path(folder) / "sweep" / "report.html"
            found |= _opened(page, Path(folder)) if page.exists() else {}
            print(name + ":", ", ".join(f"{key} {value:.3g}" for key, value in found.items()))
    return 0


def _one(what: str, name: str, *overrides: str) -> dict[str, float]:
    """What a sweep takes, and leaves in a folder."""
    import numpy as np

    import neurolab
    from neurolab.api import compose_master
    from neurolab.cli.forms import plan_of
    from neurolab.cli.points import Composer, compose_plan
    from neurolab.results.batches import SweepFolder
    from neurolab.results.dataset import as_dataset, write_csv, write_zarr
    from neurolab.results.summary import peak_memory_mb
    from neurolab.results.table import Table

    folder = Path(name) / "sweep"
    found: dict[str, float] = {}
    if what == "computed":
        summary = neurolab.run_sweep([*_SHORT, *overrides], folder).summary
        found = {key: summary[key] for key in ("compose_s", "wall_s")}
    else:
        began = time.perf_counter()
        with compose_master([*_SHORT, *overrides]) as (loader, master):
            plan = plan_of(None, [*_SHORT, *overrides], loader, 0)
            compose_plan(plan, Composer(loader, master))
        from neurolab.sweep.columns import PointReader
        from neurolab.sweep.refusals import Refusals

        PointReader(plan, Refusals(plan)).groups(np.arange(len(plan)))
        found["compose_s"] = time.perf_counter() - began
        store = SweepFolder(folder)
        store.define(plan.to_json())
        table = Table(plan, store)
        write_zarr(as_dataset(plan, table), folder / "sweep.zarr")
        write_csv(plan, table, folder / "sweep.csv")
        found["with table s"] = time.perf_counter() - began
    found["peak MB"] = peak_memory_mb()
    files = ("definition.json", "sweep.csv", "report.html")
    sizes = {
        file: (folder / file).stat().st_size / 1e6 for file in files if (folder / file).exists()
    }
    return found | {f"{file} MB": size for file, size in sizes.items()}


def _opened(page: Path, folder: Path) -> dict[str, float]:
    sys.path.insert(0, str(_BROWSER))
    import browser

    try:
        driver: Any = browser.start(folder / "profile", (1600, 1000))
    except Exception as error:
        print(f"no browser: {error}", file=sys.stderr)
        return {}
    try:
        driver.get(page.as_uri())
        entry = "performance.getEntriesByType('navigation')[0].loadEventEnd"
        return {"page opens s": driver.execute_script(f"return {entry} / 1e3")}
    finally:
        driver.quit()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
