"""The command line: help and configurations at once, mistakes without a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import neurolab
from neurolab.cli.compose import conf_folder
from neurolab.simulation.progress import print_summary

CACHE = os.environ.get("JAX_COMPILATION_CACHE_DIR")
KEEP = "device.cache_dir=" + (f"'{CACHE}'" if CACHE else "null")
HOME = str(Path(neurolab.__file__).parent.parent)


def call(*arguments: str, cwd, start=("-m", "neurolab")) -> subprocess.CompletedProcess:
    path = os.pathsep.join(filter(None, [HOME, os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, *start, *arguments],
        cwd=cwd, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip


def imported(told: str) -> set[str]:
    """The top-level packages that `python -X importtime` names."""
    lines = [line for line in told.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


LATE = {"jax", "jaxlib", "brainstate", "brainunit", "zarr", "xarray", "matplotlib", "wandb"}
WATCHED = ("-X", "importtime", "-m", "neurolab")


def test_help_lists_every_group_and_option(tmp_path):
    """--help has a line for each option of each group, with text, and the names of those in folders
    of a group; it loads none of JAX."""
    (tmp_path / "conf" / "neuron").mkdir(parents=True)
    (tmp_path / "conf" / "neuron" / "mine.yaml").write_text("# A neuron of my own.\n")
    done = call("--help", cwd=tmp_path, start=WATCHED)
    assert done.returncode == 0
    assert imported(done.stderr) & LATE == set()
    assert "hydra" not in done.stdout.splitlines()[0]
    lines = done.stdout.splitlines()
    for file in conf_folder().rglob("*.yaml"):
        group = file.parent.relative_to(conf_folder()).as_posix()
        if group != "." and not group.startswith("hydra"):
            cells = f"{group}=" not in lines
            group, folder = group.rsplit("/", 1) if cells else (group, "")
            begin = lines.index(f"{group}=")
            end = next((k for k in range(begin + 1, len(lines)) if lines[k][:1] != " "), len(lines))
            options = {line.split()[0]: line.split()[1:] for line in lines[begin + 1 : end]}
            if cells:
                inside = " ".join(lines[begin:end]).partition(f" {folder}/... ")[2]
                assert file.stem in inside.partition("/...")[0].replace(",", "").split()
                continue
            assert options.get(file.stem), f"{group}={file.stem} is not listed, or has no text"
    assert any("A neuron of my own." in line for line in lines)
    assert list(tmp_path.iterdir()) == [tmp_path / "conf"]


def test_cfg_job_prints_the_configuration(tmp_path):
    """--cfg job prints YAML with the overrides in it, loads none of JAX, and makes no folder."""
    done = call("neuron=adexif", "neuron.tau=12ms", "--cfg", "job", cwd=tmp_path, start=WATCHED)
    assert done.returncode == 0
    assert imported(done.stderr) & LATE == set()
    config = yaml.safe_load(done.stdout)
    assert config["neuron"]["_target_"] == "neurolab.neurons.AdExIF"
    assert config["neuron"]["tau"] == "12ms"
    assert (config["size"], config["duration"], config["dt"], config["seed"]) == (
        100, "1 s", "0.1 ms", 0,
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["neuron.tau=20mV", "size=0"], ["2 problems", "neuron.tau = 20mV", "size = 0"]),
        (["neuron=adexx", "neuron.tau=20"], ["did you mean 'adexif'", "write for example 20ms"]),
        (["neuron.tau=(", "dt=0ms"], ["cannot be read", "dt = 0ms"]),
    ],
)
def test_bad_input_exits_2_and_leaves_nothing(tmp_path, arguments, told):
    """A wrong configuration: every problem on stderr, exit 2, no traceback, no folder."""
    done = call(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert [words for words in told if words not in done.stderr] == []
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_cannot_be_written_is_told(tmp_path):
    """hydra.run.dir below a file: exit 2, the folder named, with what is wrong elsewhere."""
    (tmp_path / "file").write_text("")
    done = call(f"hydra.run.dir='{tmp_path}/file/run'", "neuron.tau=20", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "hydra.run.dir" in done.stderr
    assert "is a file" in done.stderr
    assert "neuron.tau = 20" in done.stderr


def test_a_multirun_makes_a_folder_for_each_value(tmp_path):
    """-m over two values with Hydra's own launcher: two complete run folders."""
    done = call(
        "-m", "hydra/launcher=basic", "neuron.tau=5ms,10ms", "size=10", "duration=20ms", KEEP,
        f"hydra.sweep.dir='{tmp_path / 'sweep'}'", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    runs = [neurolab.open_run(tmp_path / "sweep" / str(k)) for k in range(2)]
    assert [run.config.neuron.tau for run in runs] == ["5ms", "10ms"]
    assert [run.summary["status"] for run in runs] == ["completed"] * 2
    assert runs[0].summary["config_hash"] != runs[1].summary["config_hash"]


def test_a_model_whose_file_imports_neurolab_alone_is_printed_whole(tmp_path):
    """`neurolab.neurons` was not there yet, and the values were left out in silence."""
    text = "import neurolab\n\nclass Mine(neurolab.neurons.AdExIF):\n    pass\n"
    (tmp_path / "cells.py").write_text(text)
    typed = ("--cfg", "job", "neuron=naud2008/tonic", "neuron._target_=cells.Mine")
    assert "a: 2 nS" in call(*typed, cwd=tmp_path).stdout


def test_a_multirun_refuses_a_bad_value(tmp_path):
    """-m with a value that cannot be: exit 2 with the problem told, no traceback."""
    done = call("-m", "neuron.tau=20mV,20", f"hydra.sweep.dir='{tmp_path}/sweep'", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "neuron.tau = 20mV" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_console_script_is_the_module(tmp_path):
    """`neurolab --help`, where the package is installed, is `python -m neurolab --help`.

    The entry point is called as the script that pip writes calls it.
    """
    script = Path(sys.executable).with_name("neurolab")
    start = [str(script)] if script.exists() else [
        sys.executable, "-c", "import sys; from neurolab.cli.main import main; sys.exit(main())",
    ]  # fmt: skip
    assert shutil.which(start[0])
    path = {"PYTHONPATH": HOME}
    options = {"cwd": tmp_path, "capture_output": True, "text": True, "env": os.environ | path}
    one = subprocess.run([*start, "--help"], **options)
    other = call("--help", cwd=tmp_path)
    assert one.returncode == other.returncode == 0
    assert one.stdout == other.stdout != ""


def test_paths_are_printed_whole(tmp_path, capsys):
    """However narrow the terminal: they are there to be opened."""
    folder = tmp_path / ("a folder with a long name" * 4)
    summary = {"status": "failed", "message": "", "n_neurons": 1, "duration_ms": 1.0}
    summary |= {"wall_s": 1.0, "compile_s": 1.0, "neuron_updates_per_s": 1.0, "device": "cpu x 1"}
    print_summary(summary, folder)
    assert f"folder     {folder}" in capsys.readouterr().out
