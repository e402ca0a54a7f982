"""What ends runs, done to them for real, and what is left: docs/reliability.md."""

import sys

from benchmarks.environment import ROOT

sys.path.insert(0, str(ROOT / "tests"))  # what tests do to runs is done here too, by their helpers
