"""What a run waits for: libraries that it does not need are not imported."""

import subprocess
import sys

from test_resume import KEEP

LATE = """
import sys
from neurolab.cli.main import main
try:
    main()
except SystemExit:
    pass
print(*sorted({"xarray", "pandas", "wandb", "optuna", "submitit"} & sys.modules.keys()), "end")
"""


def test_a_run_needs_neither_xarray_nor_pandas(tmp_path):
    """Pictures and page are made of arrays: these two took a tenth of the first command."""
    typed = ["neuron=adexif_ref", "input=poisson", "duration=50ms", KEEP]
    command = [sys.executable, "-c", LATE, *typed, f"hydra.run.dir={tmp_path / 'run'}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "end", done.stdout[-300:] + done.stderr[-1000:]
    assert {"raster.png", "traces.png", "report.html"} <= {
        p.name for p in (tmp_path / "run").iterdir()
    }
