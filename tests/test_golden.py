"""Pictures are as they were when somebody last looked at them: tests/golden/.

They are drawn from results that are made up here, so that they are the same on any machine.  After
a change that is meant `NEUROLAB_RENEW_PICTURES=1 pytest tests/test_golden.py` draws them anew: look
at each before it is committed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images
from test_plots import make_run
from test_report_pictures import key, made
from test_sweep_plots import swept

from neurolab.plots import paper
from neurolab.plots import run as plots
from neurolab.plots import sweep as sweep_plots
from neurolab.results.layout import Chunk, Trace
from neurolab.results.run import Run, open_run
from neurolab.results.stimulus import Stimulus, write_stimuli
from neurolab.results.sweep import open_sweep
from neurolab.results.writer import ResultsWriter

GOLDEN = Path(__file__).parent / "golden"
#: Dots per inch: letters can be read, and all of them together are small.
DPI = 60
#: Root mean square of the difference, of 255.  Another release of Matplotlib or FreeType moves
#: letters by less than a pixel: 1 to 4; a line that is missing is 6 and more.
TOLERANCE = 5.0
N_STEPS = 5000


def cells(folder: Path, stimulus: Stimulus | None = None, periods=(400, 500, 900)) -> Run:
    """Cells that fire regularly while a current is there: V is a saw, w grows and decays."""
    begin, end = (1000, 4000) if stimulus is not None else (0, N_STEPS)
    step, neuron, V, w = [], [], [], []
    for k, period in enumerate(periods):
        own = np.arange(begin + period - 1, end, period)
        step.append(own)
        neuron.append(np.full(own.size, k))
        n = np.arange(N_STEPS)
        phase = np.where((n >= begin) & (n < end), (n - begin) % period / period, 0.0)
        V.append(-65 + 14 * (1 - np.exp(-3 * phase)) / (1 - np.exp(-3)))
        since = (n[:, None] - own) * 0.1
        w.append(np.where(since >= 0, np.exp(-np.clip(since, 0, None) / 100), 0).sum(1) * 40)
    step, neuron = np.concatenate(step), np.concatenate(neuron)
    order = np.lexsort((neuron, step))
    traces = [Trace("V", "mV", np.arange(3), 1), Trace("w", "pA", np.arange(3), 1)]
    writer = ResultsWriter(folder, n_neurons=3, dt_ms=0.1, traces=traces)
    values = {"V": np.stack(V, 1), "w": np.stack(w, 1)}
    writer.append(Chunk(0, N_STEPS, step[order], neuron[order], values, None))
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_text("neuron: {_target_: neurolab.neurons.AdExIF}\n")
    (folder / "summary.json").write_text('{"status": "completed"}')
    if stimulus is not None:
        write_stimuli(folder, {"": stimulus})
    return open_run(folder)


def step_of_current() -> Stimulus:
    levels = {"V_th": -51.0, "V_reset": -65.0, "V_rest": -65.0}
    return Stimulus("pA", [0, 1000, 4000], [0.0, 500.0, 0.0], True, N_STEPS, levels=levels)


def wave() -> Stimulus:
    step = np.arange(0, N_STEPS, 10)
    value = 300 + 200 * np.sin(step / 400)
    return Stimulus("pA", step.tolist(), value.tolist(), False, N_STEPS, alone=False)


def many(folder: Path) -> Run:
    """Four thousand neurons that fire together every 20 ms."""
    rng = np.random.default_rng(1)
    step = np.concatenate([rng.normal(at, 15, 2500) for at in range(200, N_STEPS - 100, 200)])
    step = np.sort(np.clip(step, 0, N_STEPS - 1).astype(int))
    spikes = step, rng.integers(0, 4000, step.size)
    return make_run(folder, 4000, N_STEPS, traces={}, spikes=spikes)


def panels(folder: Path) -> Figure:
    """All panels of a run, on axes of one figure."""
    run = cells(folder, step_of_current())
    with paper():
        figure = Figure(figsize=(9, 8), layout="constrained")
        axes = figure.subplots(4, 3).ravel()
        run.plot.raster(axes[0], time=(50, 450))
        run.plot.trace("V", axes[1], time=(90, 250), neurons=[0, 2])
        run.plot.rate(axes[2])
        run.plot.phase("V", "w", axes[3], neuron=1)
        run.plot.isi(axes[4])
        run.plot.rates(axes[5])
        run.plot.cv(axes[6])
        run.plot.psd(axes[7])
        run.plot.psth([100.0, 200.0, 300.0], axes[8], before_ms=20, after_ms=80)
        run.plot.correlogram(axes[9])
        run.plot.phases(25.0, axes[10])
        run.plot.sta("w", axes[11])
    return figure


def sweep_panels(folder: Path) -> Figure:
    """Panels of a sweep, on axes of one figure."""
    rates = both(2.0)[:, :4, None] + np.arange(3) * (1 + np.arange(4))[:, None] / 4
    tau = np.array([5.0, 10.0, 20.0, 40.0])
    axes = key("neuron.b", B8), key("neuron.tau", tau), key("seed", np.arange(3))
    made(folder, rates, *axes)
    of = open_sweep(folder).plot
    with paper():
        figure = Figure(figsize=(9, 5), layout="constrained")
        axes = figure.subplots(2, 2).ravel()
        of.lines(ax=axes[0], x="b", by="tau", spread="ci")
        of.map(ax=axes[1], x="b", y="tau", contours=True)
        of.importance(ax=axes[2])
        of.parallel(ax=axes[3])
    return figure


def both(noise: float = 0.0, n: tuple[int, int] = (8, 6)) -> np.ndarray:
    b, rate = np.meshgrid(np.arange(n[0]), np.arange(n[1]), indexing="ij")
    return 30 * np.exp(-((b - 3) ** 2) / 8) * rate / 6 + noise * np.cos(7 * b + 3 * rate)


def sweep_of(values: np.ndarray, **given: Any) -> Figure | None:
    return sweep_plots.draw(swept(values, **given))


B8, R6 = np.linspace(0, 70, 8), np.linspace(5, 30, 6)
R14 = np.arange(5, 75, 5.0)
SEEDS = np.arange(4)
FAILED = np.where(np.arange(8) > 5, "diverged", "completed")
NAMES = np.array(["lif", "expif", "adexif", "gif"])
MANY_NAMES = np.array([f"neuron{i}" for i in range(13)])
FASTER = np.logspace(0, 2, 13)[:, None]

PICTURES: dict[str, Callable[[Path], Figure | None]] = {
    "raster_step": lambda at: plots.raster(cells(at, step_of_current())),
    "raster_many": lambda at: plots.raster(many(at)),
    "traces_step": lambda at: plots.traces(cells(at, step_of_current())),
    "traces_wave": lambda at: plots.traces(cells(at, wave(), (400, 400, 400))),
    "traces_window": lambda at: plots.traces(cells(at, periods=(40, 50, 60))),
    "rate_many": lambda at: plots.rate(many(at)),
    "panels": panels,
    "sweep_panels": sweep_panels,
    "sweep_line": lambda at: sweep_of(both()[:, 4], neuron__b=B8),
    "sweep_failed": lambda at: sweep_of(both()[:, 4], status=FAILED, neuron__b=B8),
    "sweep_lines": lambda at: sweep_of(both(), neuron__b=B8, input__rate=R6),
    "sweep_map": lambda at: sweep_of(both(n=(16, 14)), neuron__b=np.arange(16), input__rate=R14),
    "sweep_seeds": lambda at: sweep_of(both(2.0)[:, :4], neuron__b=B8, seed=SEEDS),
    "sweep_names": lambda at: sweep_of(both()[:, :4].T, neuron=NAMES, neuron__b=B8),
    "sweep_many_names": lambda at: sweep_of(
        FASTER * both()[:, 4],
        neuron=MANY_NAMES,
        neuron__b=B8,
        status=np.where(FASTER * B8 > 4000, "diverged", "completed"),
    ),
    "sweep_samples": lambda at: sweep_of(
        both().ravel(),
        joint="sample",
        neuron__b=np.repeat(B8, 6),
        input__rate=np.tile(R6, 8),
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_as_it_was(tmp_path, name):
    figure = PICTURES[name](tmp_path / "run")
    assert figure is not None
    figure.savefig(tmp_path / f"{name}.png", dpi=DPI)
    golden = GOLDEN / f"{name}.png"
    if os.environ.get("NEUROLAB_RENEW_PICTURES"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes((tmp_path / f"{name}.png").read_bytes())
    told = compare_images(str(golden), str(tmp_path / f"{name}.png"), TOLERANCE)
    assert told is None, told


def test_a_line_that_is_missing_is_seen(tmp_path):
    """The tolerance is less than what anybody would see."""
    figure = plots.traces(cells(tmp_path / "run", step_of_current()))
    figure.axes[0].lines[0].set_visible(False)
    figure.savefig(tmp_path / "other.png", dpi=DPI)
    golden = str(GOLDEN / "traces_step.png")
    assert compare_images(golden, str(tmp_path / "other.png"), TOLERANCE) is not None


def test_every_golden_picture_is_drawn():
    assert {path.stem for path in GOLDEN.glob("*.png")} == set(PICTURES)
