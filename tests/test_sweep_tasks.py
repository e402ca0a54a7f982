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
from neurolab.sweep.executor_options import read_executor
from neurolab.sweep.executors import Executor, _Queue
from neurolab.sweep.jobs import Job as Submitted
from neurolab.sweep.task import Task

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
full = 2
if name == "sbatch":
    wrong = [line for line in Path(given[0]).read_text().splitlines() if "--acount" in line]
    if wrong:
        sys.exit("sbatch: unrecognized option '" + wrong[0].split()[1] + "'")
    array = [line for line in Path(given[0]).read_text().splitlines() if "--array=0-" in line]
    last = int(array[0].partition("0-")[2].partition("%")[0]) if array else 0
    if sum(map(runs, jobs)) + last + 1 > full:
        print("sbatch: error: QOSMaxSubmitJobPerUserLimit", file=sys.stderr)
        sys.exit("sbatch: error: Batch job submission failed: Job violates accounting/QOS policy")
    number = str(len(jobs) + 1)
    for k in range(last + 1):
        given_job = {{"SLURM_JOB_ID": f"{{number}}{{k}}", "SLURM_NTASKS": "1",
                      "SLURM_JOB_NUM_NODES": "1", "SLURM_NODEID": "0", "SLURM_PROCID": "0",
                      "SLURM_LOCALID": "0"}}
        if array:
            given_job |= {{"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": str(k)}}
        else:
            given_job["SLURM_JOB_ID"] = number
        process = subprocess.Popen(["bash", given[0]], env={{**os.environ, **given_job}},
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        name = f"job-{{number}}_{{k}}" if array else f"job-{{number}}"
        (here / name).write_text(str(process.pid))
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


@pytest.mark.nightly
def test_tasks_that_slurm_does_not_take_yet_wait_for_others(tmp_path, slurm):
    """Of four, an array of two is taken; the others were failed at once."""
    done = call(
        tmp_path / "sweep", slurm, "hydra.launcher.account=lab", "hydra.launcher.mail_type=END",
        "hydra.launcher.setup=[module load cuda,module list]", "+hydra.launcher.exclusive=true",
        "+hydra.launcher.mem_per_cpu=1G", "+hydra.launcher.sbatch.reservation=course",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(neurolab.open_sweep(tmp_path / "sweep").table["status"]) == {"completed"}
    assert "QOSMaxSubmitJobPerUserLimit" in done.stderr
    calls = (tmp_path / "slurm" / "calls").read_text().split()
    assert 5 <= calls.count("sbatch") <= 8  # refused now and then, not at every look
    script = next((tmp_path / "sweep").glob("tasks/*/1_submission.sh")).read_text()
    options = {line.removeprefix("#SBATCH --") for line in script.splitlines() if "#SB" in line}
    assert options > {
        "account=lab", "mail-type=END", "reservation=course", "mem-per-cpu=1G", "exclusive",
        "array=0-1%2", "requeue", "signal=USR2@90", "time=60", "cpus-per-task=2",
    }  # fmt: skip
    assert not [line for line in options if line.startswith(("qos", "wckey", "mem="))]
    assert "module load cuda\nmodule list\n" in script
    assert not list(
        (tmp_path / "sweep").glob("tasks/*/" + 32 * "[0-9a-f]" + ".pkl")
    )  # of what was refused


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
        return read_executor(kind, options).submitter(tmp_path).parameters["timeout_min"]

    assert minutes("local") > 60 * 24 * 365
    assert minutes("local", time="2 min") == 2.5
    assert minutes("local", time=None) > 60 * 24 * 365


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"sbatch": {"time": 5}}, r"sbatch.time = 5\n.*hydra.launcher.time; type it there"),
        ({"sbatch": {"mail-type": "END"}}, "is hydra.launcher.mail_type; type it there"),
        ({"sbatch": {"mem": "8G"}}, "type hydra.launcher.memory='8 GiB'"),
        ({"sbatch": {"open-mode": "append"}}, "each task's own"),
        ({"sbatch": {"nodes": 2}}, "points_per_task"),
        ({"sbatch": "lab"}, "reservation: course"),
        ({"acount": "lab"}, "did you mean 'account'?"),
        ({"setupp": None, "acount": "lab"}, "did you mean 'account'?"),
        # as Hydra's launcher of submitit has it
        ({"timeout_min": 30}, "type hydra.launcher.time='30 min'"),
        ({"mem_gb": 8}, "type hydra.launcher.memory='8 GiB'"),
        ({"cpus_per_task": 8}, "type hydra.launcher.cpus=4"),
        ({"tasks_per_node": 2}, "a task is one process"),
        ({"additional_parameters": {"hint": "x"}}, "hydra.launcher.sbatch.reservation=course"),
        ({"submitit_folder": "x"}, "in the folder of the sweep"),
        ({"signal_delay_s": -1}, "expected a whole number, 0 or more"),
        ({"use_srun": "no"}, "expected true or false"),
        ({"gres": {"gpu": 1}}, "expected a value"),
    ],
)
def test_what_has_another_name_or_none_is_refused(options, told):
    with pytest.raises(ConfigError, match=f"(?s){told}"):
        read_executor("slurm", options)


def test_parameters_of_submitit_are_taken_by_their_names():
    """Those of Hydra's launcher of submitit too, unless they are told to be something else."""
    pytest.importorskip("submitit")
    from hydra_plugins.hydra_submitit_launcher.config import SlurmQueueConf

    taken = {
        "account": "lab", "qos": "long", "constraint": "a100", "exclude": "n[1-3]", "gres": "gpu:1",
        "comment": "fit", "srun_args": ["-vv"], "setup": "module load cuda", "exclusive": False,
        "array_parallelism": 7, "signal_delay_s": 30, "cpus_per_gpu": 4, "max_num_timeout": 2,
    }  # fmt: skip
    executor = read_executor("slurm", taken)
    assert executor.requeues == 2
    expected = {"setup": ["module load cuda"], "mem": "4096M"}
    unused = ("exclusive", "max_num_timeout")
    expected |= {k: v for k, v in taken.items() if k not in (*expected, *unused)}
    assert executor.parameters == expected
    for name in SlurmQueueConf.__dataclass_fields__:
        if name != "_target_":
            try:
                read_executor("slurm", {name: 1 if "comment" not in name else "x"})
            except ConfigError as error:
                assert "There are" not in str(error), error


class Job:
    """A job that has ended, as submitit shows it."""

    job_id = "7"

    def __init__(self, folder, error):
        self.error = error
        (folder / "7_0_result.pkl").touch()
        paths = {"result_pickle": folder / "7_0_result.pkl", "stderr": "7.err", "stdout": "7.out"}
        self.paths = SimpleNamespace(**paths)

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
    monkeypatch.setattr("neurolab.sweep.executors.GRACE_SECONDS", 0.0)
    monkeypatch.setattr("neurolab.sweep.executors.gone", lambda jobs: {})
    submitter = SimpleNamespace(submit_array=submit, folder=folder)
    monkeypatch.setattr(Executor, "submitter", lambda self, folder: submitter)
    points, store = np.array([1, 2, 3]), SweepFolder(folder)
    return executor.compute({}, points, store, StopRequest(), Progress(), None)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, "task 7 ended without them; its log: 7.err"),
        (RuntimeError("Job not requeued because: timed-out too"), "end of hydra.launcher.time"),
        (RuntimeError("a reason"), "task 7 failed: a reason"),
    ],
)
def test_points_that_a_task_leaves_out_have_a_reason(tmp_path, error, said, monkeypatch):
    """They were missing without one where the task itself said nothing."""

    def submit(tasks):
        assert tasks[0].folder.is_absolute()  # a job may start elsewhere
        return [Job(tmp_path, error) for _ in tasks]

    monkeypatch.chdir(tmp_path)
    report = computed(Executor("local"), submit, Path(), monkeypatch)
    assert said in report.failed[1]
    assert (report.failed[2] == "of its own") == (error is None)
    assert error or report.failed[3].startswith("task 7 came to the end of hydra.launcher.time")
    assert Submitted(Job(tmp_path, error), np.array([1])).succeeded == (error is None)


def test_what_slurm_refuses_for_good_is_failed(tmp_path, monkeypatch):
    """It was submitted again without end."""
    submitit = pytest.importorskip("submitit")
    wrong = "sbatch: error: Batch job submission failed: Invalid account"
    busy = "sbatch: error: AssocMaxSubmitJobLimit"
    answers, sizes = iter([busy, None, busy, wrong, wrong]), []

    def submit(tasks):
        sizes.append(len(tasks))
        if reason := next(answers):
            raise submitit.core.utils.FailedJobError(reason)
        return [Job(tmp_path, None) for _ in tasks]

    report = computed(Executor("slurm", points_per_task=1), submit, tmp_path, monkeypatch)
    assert sizes == [3, 1, 1, 1, 1]
    assert [report.failed[k] for k in (2, 3)] == [wrong] * 2


def test_places_are_found_with_few_refusals(tmp_path, monkeypatch):
    """Of 3000 tasks 1000 are taken: arrays are halved until no place is left."""
    submitit = pytest.importorskip("submitit")
    taken, calls = [], []

    def submit(tasks):
        calls.append(len(tasks))
        if len(taken) + len(tasks) > 1000:
            raise submitit.core.utils.FailedJobError("QOSMaxSubmitJobPerUserLimit")
        taken.extend(tasks)
        return [Job(tmp_path, None) for _ in tasks]

    submitter = SimpleNamespace(submit_array=submit, folder=tmp_path)
    monkeypatch.setattr(Executor, "submitter", lambda self, folder: submitter)
    tasks = [Task(tmp_path, {}, np.array([k]), None) for k in range(3000)]
    queue = _Queue(Executor("slurm"), tmp_path, tasks, [])
    assert queue.submit(3000) == {}
    assert (len(taken), len(queue.waiting)) == (1000, 2000)
    assert len(calls) < 20
    queue.submit_more(0)  # none has ended: not asked again so soon
    assert len(calls) < 20
    del taken[:10]
    del calls[:]
    queue.submit_more(10)
    assert calls == [10]


def test_what_is_not_used_as_it_was_typed_is_said(caplog):
    """A second became a minute, and options of sbatch nothing, without a word."""
    assert read_executor("slurm", {"time": "2min", "account": "lab"}).minutes == 2
    assert not caplog.text
    options = {"time": "1s", "account": "lab", "sbatch": {"reservation": "course"}}
    assert read_executor("local", options).minutes == 1
    assert "hydra.launcher.time = 1s is counted in minutes: 1 min" in caplog.text
    assert "hydra.launcher (account, reservation) is for executor=slurm" in caplog.text
