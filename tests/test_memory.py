"""What does not fit into memory is refused, before it is computed or when that shows."""

import ctypes
import os
import resource
import subprocess
import sys

import pytest

from neurolab.api import experiment_of
from neurolab.engine import memory
from neurolab.problems import ConfigError

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


@pytest.mark.nightly
def test_memory_that_runs_out_while_synapses_are_drawn_is_told_of():
    """32 MiB for 15.6 million synapses, of which each takes 4 bytes at least."""
    done = subprocess.run([sys.executable, "-c", NEEDS], capture_output=True, text=True)
    assert "memory ran out while synapses were drawn" in done.stdout, done.stderr[-2000:]
    assert "projections = E_E, E_I" in done.stdout


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (["size=2000000000"], "size"),
        (["size=2000000000", "neuron.tau=[normal,5ms,1ms]"], "size"),
        (["network=brunel", "populations.I.size=2000000000"], "populations.I.size"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_before_anything_is_drawn(typed, key):
    """A distribution took 6 GB and minutes first."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ConfigError, match="GB are free; fewer than") as caught:
        experiment_of(typed)
    assert [problem.key for problem in caught.value.problems] == [key]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # kB


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


BLOCKS = """
import ctypes, sys
import numpy as np
from neurolab.engine import memory
class Blocks(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd".split()]
    _fields_ += [(name, ctypes.c_size_t) for name in "usm fsm used free keep".split()]
asked = ctypes.CDLL(None).mallinfo2
asked.restype = Blocks
def mapped():
    before = asked().hblkhd
    block = np.empty(3 * 2**20, np.uint8)
    return asked().hblkhd - before >= block.nbytes
if "told" in sys.argv:
    memory.give_back()
large = np.empty(20 * 2**20, np.uint8)  # after which the library keeps blocks of 20 MB
del large
print(mapped())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="not glibc 2.33")
@pytest.mark.parametrize(
    ("own", "told", "given_back"),
    [({}, [], False), ({}, ["told"], True), ({"MALLOC_ARENA_MAX": "4"}, ["told"], False)],
    ids=["as it is", "told", "set by the user"],
)
def test_blocks_of_megabytes_are_given_back(own, told, given_back):
    """The C library keeps what was freed, until it is told not to; a user's settings stay."""
    usual = {name: of for name, of in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", BLOCKS, *told]
    done = subprocess.run(command, env=usual | own, capture_output=True, text=True)
    assert done.stdout.split() == [str(given_back)], done.stderr
