"""Pictures: each kind of run gets the pictures it has data for, and data survive being drawn."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neurolab.plots import parts as plot_parts
from neurolab.plots import run as plots
from neurolab.plots.rates import rate_of, smooth
from neurolab.results.layout import Chunk, Trace
from neurolab.results.run import Run, open_run
from neurolab.results.samples import Samples
from neurolab.results.writer import ResultsWriter


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    """Few pixels, to be quick."""
    monkeypatch.setattr(plot_parts, "DPI", 40)


def make_run(
    folder: Path,
    n_neurons: int = 30,
    n_steps: int = 2000,
    n_spikes: int = 400,
    traces: dict[str, str] | None = None,
    record_spikes: bool = True,
    rate_bin_steps: int | None = None,
    status: str = "completed",
    spikes: tuple[np.ndarray, np.ndarray] | None = None,
) -> Run:
    rng = np.random.default_rng(0)
    traces = {"V": "mV", "w": "pA"} if traces is None else traces
    recorded = np.arange(min(n_neurons, 8))
    step = np.sort(rng.integers(0, n_steps, n_spikes))
    counts = None
    if rate_bin_steps:
        counts = np.histogram(step, np.arange(0, n_steps + 1, rate_bin_steps))[0]
    writer = ResultsWriter(
        folder,
        n_neurons=n_neurons,
        dt_ms=0.1,
        traces=[Trace(name, unit, recorded, 1) for name, unit in traces.items()],
        record_spikes=record_spikes,
        rate_bin_steps=rate_bin_steps,
    )
    values = {name: rng.standard_normal((n_steps, recorded.size)) for name in traces}
    neuron = rng.integers(0, n_neurons, n_spikes)
    step, neuron = spikes or (step, neuron)
    if not record_spikes:
        step, neuron = step[:0], neuron[:0]
    writer.append(Chunk(0, n_steps, step, neuron, values, counts))
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_text("neuron: {_target_: neurolab.neurons.LIF}\n")
    (folder / "summary.json").write_text(json.dumps({"status": status}))
    return open_run(folder)


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory):
    """Draws in a new interpreter, beside the other tests, and prints what it should not import."""
    folder = tmp_path_factory.mktemp("run")
    make_run(folder)
    code = (
        f"import sys; sys.path.insert(0, {str(Path(plots.__file__).parents[2])!r})\n"
        "from neurolab.plots import parts as plot_parts, run as plots\n"
        "from neurolab.results.run import open_run\n"
        "light = {'matplotlib', 'zarr', 'xarray', 'omegaconf'} & set(sys.modules)\n"
        "plot_parts.DPI = 40\n"
        f"plots.draw_all(open_run({str(folder)!r}))\n"
        "print(sorted(light | {'jax', 'matplotlib.pyplot'} & set(sys.modules)))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with process:
        yield process
        process.kill()


def words(figure) -> str:
    """All text in a figure, its key included."""
    from matplotlib.text import Text

    return " | ".join(text.get_text() for text in figure.findobj(Text))


SUMMARY = {"record_spikes": False, "rate_bin_steps": 10, "traces": {}}
RATE_NEURON = {"record_spikes": False, "n_spikes": 0, "traces": {"rate": ""}}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"n_neurons": 1, "n_spikes": 1, "n_steps": 1}, "raster traces rate"),
        ({"n_spikes": 0, "traces": {}}, "raster rate"),
        ({"n_neurons": 5000, "n_spikes": 40_000, "traces": {}}, "raster rate"),
        (SUMMARY, "rate"),
        (RATE_NEURON, "traces"),
    ],
    ids=["one neuron, one step", "silent", "many spikes", "summary only", "rate neuron"],
)
def test_every_kind_of_run_gets_the_pictures_it_has_data_for(tmp_path, options, expected):
    """Spikes give a raster, spikes or counts a rate, traces traces; nothing else is written."""
    paths = plots.draw_all(make_run(tmp_path, **options))
    assert paths == [tmp_path / f"{name}.png" for name in expected.split()]
    assert set(paths) == set(tmp_path.glob("*.png"))
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_a_run_killed_before_its_first_commit_can_be_drawn(tmp_path):
    """Nothing committed: the pictures say that there is nothing."""
    traces = [Trace("V", "mV", np.arange(3), 1)]
    ResultsWriter(tmp_path, n_neurons=3, dt_ms=0.1, traces=traces).open()
    run = open_run(tmp_path)
    assert [path.name for path in plots.draw_all(run)] == ["raster.png", "rate.png"]
    assert "N = 3, unfinished" in words(plots.rate(run))
    assert "no spikes in 0 ms" in words(plots.rate(run))


def test_pictures_say_what_they_show(tmp_path):
    """Neuron, size, variables with units, time unit and mean rate are written on the pictures."""
    run = make_run(tmp_path)
    raster = words(plots.raster(run))
    assert "LIF, N = 30, mean 66.7 Hz" in raster
    assert "400 spikes in 200 ms" in raster
    traces = words(plots.traces(run))
    for part in ("V (mV)", "w (pA)", "time (ms)", "neuron 0", "LIF, N = 30, mean 66.7 Hz"):
        assert part in traces
    assert "| mean 66.7 Hz |" in words(plots.rate(run))
    assert "no spikes in 200 ms" in words(plots.raster(make_run(tmp_path / "b", n_spikes=0)))


def test_the_title_tells_how_a_run_ended(tmp_path):
    """Unless it was completed; without spikes the mean is that of the recorded rate, or absent."""
    diverged = make_run(tmp_path / "a", **SUMMARY, status="diverged")
    assert "LIF, N = 30, diverged" in words(plots.rate(diverged))
    assert "mean" not in words(plots.rate(diverged))
    interrupted = make_run(tmp_path / "b", **RATE_NEURON, status="interrupted")
    assert "LIF, N = 30, interrupted" in words(plots.traces(interrupted))


def test_a_variable_that_stays_is_said_and_v_has_its_value_at_the_axis(tmp_path, monkeypatch):
    """And no other; it keeps its room below the ticks of spikes."""
    run = make_run(tmp_path, traces={"V": "mV", "w": "pA"})
    value = {"V": -65.0, "w": 0.0}
    monkeypatch.setattr(
        Samples,
        "of",
        lambda self, columns: np.full((self.time_ms.size, len(columns)), value[self.name]),
    )
    (voltage,) = plots.traces(run).axes
    assert list(voltage.get_yticks()) == [-65.0]
    assert "w 0 pA throughout" in words(plots.traces(run))
    low, high = voltage.get_ylim()
    assert low <= -65.4 and -64.6 <= high <= -64.2


def test_long_recordings_are_in_seconds(tmp_path):
    """Above 5 s the time axis is in s."""
    run = make_run(tmp_path, n_steps=60_000, traces={})
    assert "time (s)" in words(plots.raster(run))


def test_peaks_survive_decimation():
    """At most 4000 points are drawn of a line, its single-sample extremes among them."""
    x = np.arange(1_000_003.0)
    y = np.sin(x / 1e5)
    y[[123_456, 999_999]] = 9.0, -9.0
    few_x, few_y = plot_parts.decimate(x, y)
    assert few_x.size <= 4005
    assert (few_y.max(), few_y.min()) == (9.0, -9.0)
    assert np.all(np.diff(few_x) >= 0)


def test_smoothing_keeps_a_constant():
    """The smoothed rate is not drawn down at the edges."""
    np.testing.assert_allclose(smooth(np.full(50, 3.0), 4.0), 3.0)


def steps_of(figure, place=0):
    """The outline of a rate: values and edges."""
    (stairs,) = (p for p in figure.axes[place].patches if hasattr(p, "get_data"))
    return stairs.get_data()


@pytest.mark.parametrize("n", [1, 20])
def test_the_rate_of_few_trains_is_one_over_the_interval(tmp_path, n):
    """A regular train, of one neuron or of many that spike together, has one rate: no bins whose
    edges show."""
    step = np.arange(54, 10_000, 55)
    train = np.repeat(step, n), np.tile(np.arange(n), step.size)
    run = make_run(tmp_path, n, 10_000, traces={}, spikes=train)
    for figure, place in ((plots.raster(run), 1), (plots.rate(run), 0)):
        np.testing.assert_allclose(steps_of(figure, place).values, 1000 / 5.5)
        assert "1/ISI" in words(figure) and "bins" not in words(figure)


def test_bins_of_a_rate_hold_ten_spikes(tmp_path):
    """Of all spikes, the last bin's among them, which may be narrower; a recorded rate likewise."""
    run = make_run(tmp_path / "a", n_steps=2030, n_spikes=150, rate_bin_steps=10)
    for rate in (rate_of(run), rate_of(run, spikes=False)):
        shown = rate.legible()
        assert shown.bin_ms == pytest.approx(20.0)
        assert shown.edges[-1] == pytest.approx(203.0)
        count = shown.hz * np.diff(shown.edges) * 30e-3
        assert count.sum() == pytest.approx(150)
        assert rate.mean == pytest.approx(150 / 30 / 0.203)
    few = make_run(tmp_path / "b", n_spikes=3, spikes=(np.array([5, 90, 91]), np.array([1, 2, 3])))
    np.testing.assert_allclose(rate_of(few).legible().edges, [0, 200])


def test_the_last_volley_is_drawn_whole(tmp_path):
    """Spikes of the last step are on the edge of the axis, which does not cut them."""
    run = make_run(tmp_path, 2, 100, spikes=(np.array([49, 49, 99, 99]), np.array([0, 1, 0, 1])))
    top = plots.raster(run).axes[0]
    assert top.lines[0].get_xdata().max() == pytest.approx(top.get_xlim()[1])
    assert not top.lines[0].get_clip_on()


def test_a_dense_raster_is_as_bright_as_its_neurons_are_active(tmp_path):
    """Each of 300 neurons spikes in each of 1500 steps: all of the 190 x 520 cells have its rate,
    with one neuron in them or two, two steps or three."""
    n, steps = 300, 1500
    train = np.repeat(np.arange(steps), n), np.tile(np.arange(n), steps)
    run = make_run(tmp_path, n, steps, traces={}, spikes=train)
    hz = plots.raster(run).axes[0].images[0].get_array()
    assert hz.shape == (190, 520)
    np.testing.assert_allclose(hz, 10_000)
    assert "black from" in words(plots.raster(run))


def test_pyplot_and_jax_are_never_imported(elsewhere):
    """Drawing needs neither pyplot, with its global figures, nor jax."""
    assert elsewhere.communicate()[0].strip() == "[]"
    assert elsewhere.returncode == 0
