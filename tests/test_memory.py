"""What does not fit into memory is refused, before it is computed or when that shows."""

import os
import resource
import subprocess
import sys

from neurolab.engine import memory

NEEDS = """
import resource, sys
import neurolab
from neurolab.problems import ConfigError
from pathlib import Path
def run(*more):
    return neurolab.run(["network=brunel", "duration=1ms", "record=summary", *more])
run("populations.E.size=80", "populations.I.size=20")
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + 2**25
resource.setrlimit(resource.RLIMIT_AS, (most, most))
try:
    run()
except ConfigError as error:
    print(error)
"""


def test_memory_that_runs_out_while_synapses_are_drawn_is_told_of():
    """32 MiB for 15.6 million synapses, of which each takes 4 bytes at least."""
    done = subprocess.run([sys.executable, "-c", NEEDS], capture_output=True, text=True)
    assert "memory ran out while synapses were drawn" in done.stdout, done.stderr[-2000:]
    assert "projections = E_E, E_I" in done.stdout


def test_what_is_free_is_asked_of_the_machine_and_of_the_container(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_FREE", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_GROUP", tmp_path)
    whole = resource.getpagesize() * os.sysconf("SC_PHYS_PAGES")
    assert memory.available() == whole
    (tmp_path / "meminfo").write_text("MemTotal:  9000 kB\nMemAvailable:   5000 kB\nHugePages: 0\n")
    assert memory.available() == 5000 * 1024
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available() == 5000 * 1024
    (tmp_path / "memory.max").write_text("4000000\n")
    (tmp_path / "memory.current").write_text("3000000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 500000\nactive_file 100000\n")
    assert memory.available() == 4000000 - 3000000 + 600000
