"""The page of a run or a sweep that goes on, and that it is not the last one."""

from __future__ import annotations

import logging

import pytest
from pages import data_of

import neurolab
from neurolab.report import live, write_report

CELLS = ["neuron=lif", "input=poisson", "checkpoint.every=50ms"]


@pytest.fixture
def pages(monkeypatch):
    """Pages as often as they can be written; their data, in order."""
    found = []

    def written(folder, standalone=False):
        page = write_report(folder, standalone)
        found.append(data_of(page))
        return page

    monkeypatch.setattr("neurolab.report.write_report", written)
    monkeypatch.setattr(live, "EVERY_S", 0.0)
    monkeypatch.setattr(live, "_PART", 1.0)
    return found


def test_a_run_has_a_page_while_it_goes(tmp_path, pages, caplog):
    """Of what was committed by then: it grows.  Nothing of it is called damaged, and what stays is
    the page of the end."""
    typed = [*CELLS, "size=300", "duration=60s", "record.variables=[V]", "record.interval=10ms"]
    with caplog.at_level(logging.WARNING):
        run = neurolab.run(typed, tmp_path / "run")
    assert not caplog.records
    going = [page for page in pages if page["status"] == "running"]
    assert going and pages[-1]["status"] == "completed"
    assert all("% done at" in page["message"] for page in going)
    lasted = [page["results"]["duration_ms"] for page in going if page.get("results")]
    assert lasted == sorted(lasted) and lasted[-1] > 0
    assert data_of(run.path / "report.html")["status"] == "completed"


def test_a_sweep_has_a_page_while_it_goes(tmp_path, pages, caplog):
    typed = [*CELLS, "size=50", "duration=5s", "sweep.batch=2", "seed=range:16"]
    with caplog.at_level(logging.WARNING):
        sweep = neurolab.run_sweep(typed, tmp_path / "sweep")
    assert not caplog.records
    going = [page for page in pages if page["status"] == "running"]
    assert going and pages[-1]["status"] == "completed"
    assert any("% done at" in page["message"] for page in going)
    assert data_of(sweep.path / "report.html")["status"] == "completed"


def test_what_is_short_has_one_page(tmp_path, monkeypatch):
    found = []
    monkeypatch.setattr("neurolab.report.write_report", lambda *given: found.append(given))
    neurolab.run(["neuron=lif", "size=2", "duration=10ms"], tmp_path)
    assert len(found) == 1
