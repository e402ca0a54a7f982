"""Tasks of a sweep where Slurm takes few jobs at a time, is asked seldom, and ends them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sweeps import KEEP

import neurolab
from neurolab.problems import ConfigError
from neurolab.results.batches import SweepFolder
from neurolab.simulation.stop import StopRequest
from neurolab.sweep.executors import Executor, _Task, read_executor

HOME = str(Path(neurolab.__file__).parent.parent)
#: A Slurm of files: jobs run here, two at a time are taken, and each call is written down.
FAKE = r"""#!{python}
import os, signal, subprocess, sys
from pathlib import Path
here, name, given = Path({folder!r}), Path(sys.argv[0]).name, sys.argv[1:]
with (here / "calls").open("a") as calls:
    calls.write(name + "\n")

def runs(path):
    stat = Path("/proc", path.read_text(), "stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"

jobs = sorted(here.glob("job-*"))
if name == "sbatch":
    wrong = [line for line in Path(given[0]).read_text().splitlines() if "--acount" in line]
    if wrong:
        sys.exit("sbatch: unrecognized option '" + wrong[0].split()[1] + "'")
    if sum(map(runs, jobs)) >= 2:
        print("sbatch: error: QOSMaxSubmitJobPerUserLimit", file=sys.stderr)
        sys.exit("sbatch: error: Batch job submission failed: Job violates accounting/QOS policy")
    number = str(len(jobs) + 1)
    given_job = {{"SLURM_JOB_ID": number, "SLURM_NTASKS": "1", "SLURM_JOB_NUM_NODES": "1",
                  "SLURM_NODEID": "0", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}}
    process = subprocess.Popen(["bash", given[0]], env={{**os.environ, **given_job}},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    (here / f"job-{{number}}").write_text(str(process.pid))
    print("Submitted batch job", number)
elif name == "srun":
    while given[0].startswith("--"):
        given = given[1 if given[0] == "--unbuffered" else 2:]
    os.execvp(given[0], given)
elif name == "squeue":
    for path in jobs:
        print(path.name[4:] + "|" + ("RUNNING" if runs(path) else "COMPLETED"))
"""


@pytest.fixture
def slurm(tmp_path):
    """An environment whose Slurm is that of files, and their folder."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name in ("sbatch", "srun", "squeue", "scancel"):
        (folder / name).write_text(FAKE.format(python=sys.executable, folder=str(folder)))
        (folder / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": HOME}


def call(folder, environment, *overrides):
    typed = ("size=2", "duration=10ms", "device.count=1", "seed=range:4", KEEP)
    return subprocess.run(
        [
            sys.executable, "-m", "neurolab", "-m", *typed, "hydra.launcher.executor=slurm",
            "hydra.launcher.points_per_task=1", f"hydra.sweep.dir='{folder}'", *overrides,
        ],
        env=environment, capture_output=True, text=True, cwd=folder.parent,
    )  # fmt: skip


def test_tasks_that_slurm_does_not_take_yet_wait_for_others(tmp_path, slurm):
    """Of four two are taken; the others were failed at once."""
    done = call(
        tmp_path / "sweep", slurm, "hydra.launcher.sbatch.account=lab",
        "+hydra.launcher.sbatch.mail-type=END",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(neurolab.open_sweep(tmp_path / "sweep").table["status"]) == {"completed"}
    assert "QOSMaxSubmitJobPerUserLimit" in done.stderr
    calls = (tmp_path / "slurm" / "calls").read_text().split()
    assert 5 <= calls.count("sbatch") <= 7  # refused once or more, not at every look
    (script, *_) = (tmp_path / "sweep").glob("tasks/*/*.sh")
    assert "#SBATCH --account=lab\n" in script.read_text()
    assert "#SBATCH --mail-type=END\n" in script.read_text()
    assert "qos" not in script.read_text()


def test_an_option_that_sbatch_does_not_know_is_told(tmp_path, slurm):
    done = call(tmp_path / "sweep", slurm, "+hydra.launcher.sbatch.acount=lab")
    assert done.returncode == 2
    assert "unrecognized option '--acount=lab'" in done.stderr
    assert "Traceback" not in done.stderr


def test_slurm_is_asked_ever_more_rarely():
    """After a tenth of the time that has passed; other processes here at once."""
    slurm, local = Executor("slurm"), Executor("local")
    assert [slurm._pause(t) for t in (0, 5, 60, 300, 1e5)] == [0.5, 0.5, 6, 30, 30]
    assert {local._pause(t) for t in (0, 300, 1e5)} == {0.5}


def test_a_local_task_has_the_time_that_it_is_given_or_no_end(tmp_path):
    """It was ended after 59.5 minutes if nothing was said, and half a minute early if it was."""
    pytest.importorskip("submitit")

    def minutes(kind, **options):
        return read_executor(kind, options)._submitter(tmp_path).parameters["timeout_min"]

    assert minutes("local") > 60 * 24 * 365
    assert minutes("local", time="2 min") == 2.5
    assert minutes("local", time=None) > 60 * 24 * 365


def test_what_has_a_key_of_its_own_or_no_name_is_refused():
    with pytest.raises(ConfigError, match=r"(?s)sbatch.time.*hydra.launcher.time says"):
        read_executor("slurm", {"sbatch": {"time": 5}})
    with pytest.raises(ConfigError, match="each task's own"):
        read_executor("slurm", {"sbatch": {"open-mode": "append"}})
    with pytest.raises(ConfigError, match="account: lab"):
        read_executor("slurm", {"sbatch": "lab"})
    with pytest.raises(ConfigError, match="sbatch"):
        read_executor("slurm", {"acount": "lab"})


class Job:
    """A job that has ended, as submitit shows it."""

    job_id = "7"

    def __init__(self, folder, error):
        self.error = error
        (folder / "result.pkl").touch()
        self.paths = type("Paths", (), {"result_pickle": folder / "result.pkl", "stderr": "7.err"})

    def exception(self):
        return self.error

    def result(self):
        late = "UncompletedJobError: Job not requeued because: timed-out and not checkpointable."
        return type("Report", (), {"failed": {2: "of its own", 3: late}})


class Progress:
    def tell(self, points):
        pass


def computed(executor, submit, folder, monkeypatch):
    """The report of three points, with what takes tasks."""
    monkeypatch.setattr("neurolab.sweep.executors._GRACE_SECONDS", 0.0)
    monkeypatch.setattr("neurolab.sweep.executors.gone", lambda jobs: {})
    submitter = SimpleNamespace(submit=submit)
    monkeypatch.setattr(Executor, "_submitter", lambda self, folder: submitter)
    points, store = np.array([1, 2, 3]), SweepFolder(folder)
    return executor.compute({}, points, store, StopRequest(), Progress(), None)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, "task 7 ended without them; its log: 7.err"),
        (RuntimeError("Job not requeued because: timed-out and not"), "end of hydra.launcher.time"),
        (RuntimeError("a reason"), "task 7 failed: a reason"),
    ],
)
def test_points_that_a_task_leaves_out_have_a_reason(tmp_path, error, said, monkeypatch):
    """They were missing without one where the task itself said nothing."""

    report = computed(Executor("local"), lambda *given: Job(tmp_path, error), tmp_path, monkeypatch)
    assert said in report.failed[1]
    assert (report.failed[2] == "of its own") == (error is None)
    assert error or report.failed[3].startswith("task 7 came to the end of hydra.launcher.time")
    assert _Task(Job(tmp_path, error), np.array([1])).succeeded == (error is None)


def test_what_slurm_refuses_for_good_is_failed(tmp_path, monkeypatch):
    """It was submitted again without end."""
    submitit = pytest.importorskip("submitit")
    wrong = "sbatch: error: Batch job submission failed: Invalid account"
    busy = "sbatch: error: AssocMaxSubmitJobLimit"
    answers = iter([None, busy, wrong, wrong])

    def submit(*given):
        if reason := next(answers):
            raise submitit.core.utils.FailedJobError(reason)
        return Job(tmp_path, None)

    report = computed(Executor("slurm", points_per_task=1), submit, tmp_path, monkeypatch)
    assert [report.failed[k] for k in (2, 3)] == [wrong] * 2


def test_what_is_not_used_as_it_was_typed_is_said(caplog):
    """A second became a minute, and options of sbatch nothing, without a word."""
    assert read_executor("slurm", {"time": "2min", "sbatch": {"account": "lab"}}).minutes == 2
    assert not caplog.text
    assert read_executor("local", {"time": "1s", "sbatch": {"acount": "lab"}}).minutes == 1
    assert "hydra.launcher.time = 1s is counted in minutes: 1 min" in caplog.text
    assert "sbatch (acount) is for executor=slurm" in caplog.text
