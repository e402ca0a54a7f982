"""Panels of sweeps, on axes of one's own and by command."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats
from test_report_pictures import key, made

import neurolab
from neurolab.analysis import main_effect
from neurolab.plot import main as drawn
from neurolab.results.sweep import open_sweep

RNG = np.random.default_rng(2)
TAU, RATE, SEEDS = np.array([5.0, 8.0, 12.0]), np.arange(10.0, 50.0, 10.0), np.arange(6)
RATES = RNG.uniform(10, 60, (3, 4, 6))


@pytest.fixture
def sweep(tmp_path):
    axes = key("neuron.tau", TAU), key("input.rate", RATE), key("seed", SEEDS)
    made(tmp_path / "sweep", RATES, *axes, bad=[7])
    return open_sweep(tmp_path / "sweep")


@pytest.mark.parametrize("spread", ["sd", "sem", "ci", "none"])
def test_lines_are_means_with_an_interval(sweep, spread):
    """A line for each value of the second key; without what diverged.  SciPy's own interval."""
    ax = sweep.plot.lines(x="rate", by="tau", spread=spread)
    known = RATES.copy()
    known.reshape(-1)[7] = np.nan
    assert ax.get_legend().get_title().get_text() == "neuron.tau (ms)"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("input.rate (ms)", "firing rate (Hz)")
    for line, own in zip(ax.lines, known, strict=True):
        np.testing.assert_allclose(line.get_xdata(), RATE)
        np.testing.assert_allclose(line.get_ydata(), np.nanmean(own, axis=1), rtol=1e-6)
    if spread == "none":
        assert not ax.collections
        return
    values = known[0, 1][np.isfinite(known[0, 1])]
    half = {"sd": values.std(ddof=1), "sem": stats.sem(values)}.get(spread)
    if half is None:
        half = stats.t.interval(0.95, values.size - 1, 0, stats.sem(values))[1]
    band = ax.collections[0].get_paths()[0].vertices
    at = band[band[:, 0] == 20.0, 1]
    np.testing.assert_allclose(
        [at.min(), at.max()], values.mean() + half * np.array([-1, 1]), rtol=1e-5
    )


def test_a_map_has_the_means_of_cells(sweep):
    figure = Figure()
    ax = sweep.plot.map(ax=figure.subplots(), x="tau", y="rate", contours=True)
    mesh = ax.collections[0]
    known = RATES.copy()
    known.reshape(-1)[7] = np.nan
    np.testing.assert_allclose(mesh.get_array(), np.nanmean(known, axis=2).T, rtol=1e-6)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("neuron.tau (ms)", "input.rate (ms)")
    assert figure.axes[1].get_ylabel() == "firing rate (Hz)"
    assert ax.get_xlim()[0] < 5 < 12 < ax.get_xlim()[1]


def test_importance_and_all_keys(tmp_path):
    made(tmp_path, RATES[..., 0], key("neuron.tau", TAU), key("input.rate", RATE), bad=[4])
    sweep = open_sweep(tmp_path)
    known = RATES[..., 0].copy()
    known.reshape(-1)[4] = np.nan
    ax = sweep.plot.importance()
    names = [label.get_text() for label in ax.get_yticklabels()]
    bars = dict(zip(names, [bar.get_width() for bar in ax.patches], strict=True))
    assert bars["neuron.tau"] == pytest.approx(
        main_effect(known.ravel(), np.repeat(np.arange(3), 4))
    )
    ax = sweep.plot.parallel()
    (lines,) = (one for one in ax.collections if len(one.get_segments()) > 1)
    assert len(lines.get_segments()) == 11  # without the one that diverged
    first = lines.get_segments()[0]
    low, high = np.nanmin(known), np.nanmax(known)
    np.testing.assert_allclose(
        first, [[0, 0], [1, 0], [2, (known[0, 0] - low) / (high - low)]], atol=1e-6
    )
    np.testing.assert_allclose(lines.get_array()[0], known[0, 0], rtol=1e-6)
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "neuron.tau\n(ms)", "input.rate\n(ms)", "firing rate\n(Hz)"]  # fmt: skip


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (lambda of: of.lines(x="rate", where={"tau": 6}), "neuron.tau has no value 6"),
        (lambda of: of.lines(x="V_th"), "V_th was not swept"),
        (lambda of: of.lines("nothing"), "no point has a nothing; there are rate_hz"),
        (lambda of: of.lines(x="rate", by="tau", spread="se"), "sd, sem, ci or none"),
        (lambda of: of.map(where={"tau": 8}), "over two keys"),
    ],
)
def test_what_cannot_be_drawn_is_said(sweep, draw, told):
    with pytest.raises((KeyError, ValueError), match=told):
        draw(sweep.plot)


def test_nothing_is_fixed_in_silence(tmp_path):
    """A key that has no place must be said, rather than its first value taken."""
    axes = key("neuron.tau", TAU), key("input.rate", RATE), key("neuron.b", np.array([1.0, 2.0]))
    made(tmp_path, RATES[..., :2], *axes)
    plot = open_sweep(tmp_path).plot
    with pytest.raises(ValueError, match=r"neuron.b has several values: say which, where="):
        plot.lines(x="rate", by="tau")
    (line, *_) = plot.lines(x="rate", by="tau", where={"b": 2}).lines
    np.testing.assert_allclose(line.get_ydata(), RATES[0, :, 1], rtol=1e-6)


def test_sweeps_are_drawn_by_command(sweep, capsys):
    """In a file of so many mm; what is of runs, or of points, is refused."""
    folder = str(sweep.path)
    typed = ["--kind", "map,lines,importance,parallel", "--x", "rate", "--y", "tau"]
    assert drawn([folder, *typed, "--format", "pdf", "--height", "180mm"]) == 0
    pdf = (sweep.path / "map_lines_importance_parallel.pdf").read_bytes()
    assert b"/MediaBox [ 0 0 240.94" in pdf  # 85 mm
    assert drawn([folder, "--kind", "lines", "--where", "tau=5", "--format", "png"]) == 0
    capsys.readouterr()
    for wrong, told in (
        (["--kind", "map", "--point", "1"], "of a whole sweep"),
        (["--kind", "map,raster"], "raster: of a run"),
        (["--kind", "lines", "--where", "tau=6"], "no value 6.0; give one of 5.0"),
        ([], "or ask for lines"),
    ):
        assert drawn([folder, *wrong]) == 2
        assert told in capsys.readouterr().err


def test_axes_have_the_words_of_models(tmp_path):
    """A key is named by what its model says of it, where all options say the same."""
    typed = ["neuron=adexif,lif", "neuron.tau=5ms,8ms", "input=constant", "input.amplitude=1mA,2mA",
        "size=1", "duration=10ms"]  # fmt: skip
    sweep = neurolab.run_sweep(typed, tmp_path / "sweep")
    words = {name: of.attrs.get("long_name") for name, of in sweep.data.coords.items()}
    tau = neurolab.parameters("lif").loc["tau", "text"]
    amplitude = neurolab.parameters("input=constant").loc["amplitude", "text"]
    assert words == {"neuron": None, "neuron.tau": tau, "input.amplitude": amplitude}
    ax = sweep.plot.lines(x="tau", where={"neuron": "lif", "amplitude": 2})
    assert ax.get_xlabel() == f"{tau}, neuron.tau (ms)"
    again = neurolab.open_sweep(sweep.path)
    assert again.data["neuron.tau"].attrs["long_name"] == tau
