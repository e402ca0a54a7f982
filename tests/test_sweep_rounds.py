"""A sweeper that optimises asks round by round: points without a value fail, the study does not."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hydra.core.utils import JobStatus
from omegaconf import OmegaConf
from sweeps import SHORT

import neurolab
from neurolab.cli.compose import compose_master
from neurolab.problems import ConfigError

QUIET = ("hydra/hydra_logging=none", "hydra/job_logging=none", "record=summary")


@pytest.fixture
def launch(tmp_path, monkeypatch):
    """The launcher of a sweeper that is not ours."""
    from neurolab.cli.launcher import SweepLauncher

    monkeypatch.setattr("neurolab.plots.sweep.draw_all", lambda *_: [])
    monkeypatch.setattr("neurolab.report.write_report", lambda *_: None)
    with compose_master([*SHORT, *QUIET, f"hydra.sweep.dir='{tmp_path}'"]) as (loader, master):
        OmegaConf.set_readonly(master.hydra, False)
        master.hydra.sweeper._target_ = "optuna_sweeper.OptunaSweeper"
        launcher = SweepLauncher()
        context = SimpleNamespace(config_loader=loader)
        launcher.setup(hydra_context=context, task_function=lambda _: None, config=master)
        yield launcher.launch


def jobs(*values):
    return [[*SHORT, *QUIET, "neuron=lif", f"neuron.V_reset={value}"] for value in values]


def test_rounds_are_one_sweep(launch, tmp_path):
    """What cannot be is failed, with a reason; also a round of nothing else."""
    first = launch(jobs("0mV", "2mV"), 0)
    assert [one.status for one in first] == [JobStatus.COMPLETED, JobStatus.FAILED]
    assert first[0].return_value == neurolab.open_sweep(tmp_path).rows[0]["rate_hz"]
    with pytest.raises(RuntimeError, match="must lie above"):
        _ = first[1].return_value
    second = launch(jobs("3mV", "-1mV/s"), 2)
    assert [one.status for one in second] == [JobStatus.FAILED] * 2
    third = launch(jobs("0.5mV"), 4)
    assert third[0].status == JobStatus.COMPLETED
    found = neurolab.open_sweep(tmp_path)
    assert list(found.table["status"]) == ["completed", *["refused"] * 3, "completed"]
    assert found.summary["computed"] == 2
    assert len(found.summary["sessions"]) == 1  # rounds of one search


def test_a_first_round_that_is_typed_wrongly_is_refused(launch, tmp_path):
    """Nothing that could come after would be right."""
    with pytest.raises(ConfigError, match=r"neuron\.tau = 5mV"):
        launch([[*job, "neuron.tau=5mV"] for job in jobs("0mV", "0.5mV")], 0)


def test_a_search_beyond_its_first_round_is_not_gone_on_with(launch, tmp_path):
    """Its sweeper knows nothing of it: the refusal said that there were more points."""
    launch(jobs("0mV", "0.5mV"), 0)
    launch(jobs("0.2mV"), 2)
    again = launch.__self__
    again.settings = replace(again.settings, resume=tmp_path)
    with pytest.raises(ConfigError, match=r"3 points, .*round asks for 2.* sweeper chose"):
        launch([[*job, f"sweep.resume='{tmp_path}'"] for job in jobs("0mV", "0.5mV")], 0)
