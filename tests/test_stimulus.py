"""What a run's neurons were given is kept beside its results, and shown as it was."""

from __future__ import annotations

import numpy as np
import pytest

import neurolab
from neurolab.plot import main as drawn
from neurolab.plots import run as plots
from neurolab.plots.window import window_of
from neurolab.results.damage import DamagedError
from neurolab.results.stimulus import STIMULUS, Stimulus, read_stimuli
from neurolab.simulation import stimulus as computed

TYPED = ["neuron=lif", "size=3", "record.neurons=all", "record.interval=null"]


def at(given: Stimulus, step: int, dt_ms: float = 0.1) -> float:
    """The value of the line of a stimulus in the middle of a step."""
    time, value = given.line(dt_ms)
    return float(np.interp((step + 0.5) * dt_ms, time, value))


def words(figure) -> str:
    found = [text.get_text() for text in figure.findobj(lambda one: hasattr(one, "get_text"))]
    return "\n".join(found)


@pytest.mark.parametrize(
    "typed",
    [
        ["input=step", "input.start=20ms", "input.stop=30ms", "duration=50ms"],
        ["input=piecewise", "duration=300ms", "+input@inputs.up=ramp"],
        ["input=sinusoidal", "input.frequency=40Hz", "duration=250ms", "integrator=rk4"],
    ],
)
def test_a_stimulus_is_what_was_recorded(tmp_path, typed):
    """What the program adds up, step by step, and what is kept beside it, of two kinds."""
    names = ["input", *(["inputs.up"] if "inputs.up" in " ".join(typed) else [])]
    run = neurolab.run([*TYPED, *typed, f"record.variables=[{','.join(names)}]"], tmp_path / "run")
    recorded = sum(run.traces[name].values[:, 0].astype(float) for name in names)
    (given,) = read_stimuli(run.path).values()
    assert given.unit == "mA"
    assert given.n_steps == recorded.size
    steps = range(recorded.size) if given.held else given.step
    for step in steps:
        assert at(given, step) == pytest.approx(recorded[step], rel=1e-6)


def test_the_least_and_the_largest_of_each_part_are_kept():
    """A wave with a pulse of one step, of more steps than are kept: no line leaves it out."""
    n = 300_000
    wave = np.sin(np.arange(2**19) * 1e-4)
    wave[123_456], wave[299_999] = 7.0, -3.0

    def of(first: int) -> np.ndarray:
        return wave[first : first + 2**14]

    step, value, held = computed._kept(of, n, 2.0)
    assert not held
    assert len(step) < 3000
    assert (np.diff(step) > 0).all()
    np.testing.assert_array_equal(value, 2 * wave[step])
    assert {0, 123_456, 299_999} <= set(step)
    for begin in range(0, n, 512):
        own = [v for s, v in zip(step, value, strict=True) if begin <= s < begin + 512]
        part = 2 * wave[begin : min(begin + 512, n)]
        assert (min(own), max(own)) == (part.min(), part.max())


def test_changes_are_kept_as_they_are():
    steps = np.sort(np.random.default_rng(0).choice(100_000, 1500, replace=False))
    held = np.repeat(np.arange(1501.0), np.diff([0, *steps, 2**17]))
    step, value, whole = computed._kept(lambda first: held[first : first + 2**14], 100_000, 1.0)
    assert whole
    assert step == sorted({0, *steps.tolist()})
    assert value == held[step].tolist()


@pytest.mark.parametrize(
    ("step", "value", "expected"),
    [
        ([0, 10, 20], [0.0, 1.0, 0.0], [(1.0, 2.0)]),
        ([0, 10, 20], [1.0, 0.5, 1.0], [(1.0, 2.0)]),  # down from a baseline
        ([0, 20], [-1.0, 0.0], [(0.0, 2.0)]),
        ([0, 10], [0.0, 2.0], [(1.0, 4.0)]),
        ([0, 10, 20, 30], [0.0, 1.0, 2.0, 0.0], [(1.0, 3.0)]),
        ([0, 10], [1.0, 2.0], []),  # no baseline
        ([0], [1.0], []),
        (list(range(20)), [0.0, 1.0] * 10, []),  # a pattern
        (list(range(20)), [0.0, *range(1, 20)], []),  # a wave
    ],
)
def test_epochs_are_where_it_is_not_at_its_baseline(step, value, expected):
    found = Stimulus("mA", step, value, n_steps=40).epochs(0.1)
    assert np.ravel(found) == pytest.approx(np.ravel(expected))


def test_pictures_show_what_was_given(tmp_path):
    typed = [*TYPED, "input=step", "input.start=20ms", "input.stop=60ms", "duration=100ms"]
    run = neurolab.run([*typed, "input.amplitude=1.5mA"], tmp_path / "run")
    for figure in (plots.raster(run), plots.traces(run)):
        axes = figure.axes
        assert axes[-1].get_ylabel() == "input\n(mA)"
        (line,) = axes[-1].lines
        np.testing.assert_allclose(line.get_xdata(), [0, 20, 20, 60, 60, 100])
        np.testing.assert_allclose(line.get_ydata(), [0, 0, 1.5, 1.5, 0, 0])
        shades = [patch.get_extents().transformed(axes[0].transData.inverted()) for patch in
                  axes[0].patches]  # fmt: skip
        assert [(one.x0, one.x1) for one in shades] == [pytest.approx((20, 60))]
    assert "neurons 0, 1 and 2, which are the same" in words(plots.traces(run))
    levels = [line.get_ydata()[0] for line in plots.traces(run).axes[0].lines if
              line.get_linestyle() == "--"]  # fmt: skip
    assert levels == [1.0, 0.0]  # V_th; V_reset and V_rest, which are one


def test_a_constant_input_is_said(tmp_path):
    run = neurolab.run([*TYPED, "input=constant", "input.amplitude=1.5mA", "duration=20ms"],
                       tmp_path / "run")  # fmt: skip
    assert len(plots.raster(run).axes) == 2
    assert "input 1.5 mA" in words(plots.raster(run))


def test_neurons_with_amplitudes_of_their_own(tmp_path):
    typed = ["input=step", "input.amplitude=[uniform,1mA,2mA]", "duration=20ms", "input.start=5ms"]
    run = neurolab.run([*TYPED, *typed, "record.variables=[input]"], tmp_path / "run")
    (given,) = read_stimuli(run.path).values()
    assert given.first_neuron
    assert given.value[-1] == pytest.approx(float(run.traces["input"].values[-1, 0]))
    assert "input of neuron 0" in words(plots.raster(run))


def test_what_comes_beside_it_is_said(tmp_path):
    typed = ["input=ou", "+input@inputs.pulse=step", "duration=300ms"]
    run = neurolab.run([*TYPED, *typed], tmp_path / "run")
    (given,) = read_stimuli(run.path).values()
    assert not given.alone
    assert sorted(given.value) == pytest.approx([0.0, 1.2])
    assert "input without spikes and noise" in words(plots.raster(run))


def test_a_damaged_stimulus_is_told_and_left_out(tmp_path, caplog):
    run = neurolab.run([*TYPED, "input=step", "duration=300ms"], tmp_path / "run")
    path = run.path / STIMULUS
    path.write_text(path.read_text().replace("mA", "pA"))
    with pytest.raises(DamagedError):
        read_stimuli(run.path)
    assert len(plots.raster(neurolab.open_run(run.path)).axes) == 2
    assert "the stimulus is left out" in caplog.text
    assert any(STIMULUS in str(one) for one in neurolab.verify(run.path))
    path.unlink()
    with pytest.raises(DamagedError, match="it is missing"):
        read_stimuli(run.path)


def test_a_run_is_complete_without_it(tmp_path, monkeypatch, caplog):
    def fails(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(computed, "stimuli_of", fails)
    run = neurolab.run([*TYPED, "input=step", "duration=20ms"], tmp_path / "run")
    assert run.summary["status"] == "completed"
    assert "the stimulus cannot be shown: no" in caplog.text


def test_many_spikes_are_shown_in_part():
    """Ten intervals around the middle one, where all would be a block."""
    time = np.arange(1, 1001) * 7.0
    spikes = (time, np.zeros(1000, int))
    assert window_of(spikes, [0, 1], (0.0, 7000.0), False) == pytest.approx((3507 - 35, 3507 + 35))
    few = (time[:50], np.zeros(50, int))
    assert window_of(few, [0], (0.0, 7000.0), False) == (0.0, 7000.0)
    some = (time[:150], np.zeros(150, int))
    assert window_of(some, [0], (0.0, 7000.0), True) == (0.0, 7000.0)
    assert window_of(some, [0], (0.0, 7000.0), False) != (0.0, 7000.0)


def test_a_slow_neuron_is_seen_beside_a_fast_one():
    """Ten of its intervals, but at most forty of the fast one."""
    for slow, expected in ((20.0, 200.0), (100.0, 400.0)):
        trains = [np.arange(1, 501) * 10.0, np.arange(slow, 5000.0, slow)]
        time = np.concatenate(trains)
        order = np.argsort(time, kind="stable")
        who = np.repeat([0, 1], [one.size for one in trains])
        begin, end = window_of((time[order], who[order]), [0, 1], (0.0, 5000.0), False)
        assert end - begin == pytest.approx(expected)
        assert 0 <= begin < end <= 5000.0


def test_a_panel_of_the_stimulus(tmp_path):
    typed = [*TYPED, "input=step", "input.start=20ms", "input.stop=60ms", "duration=100ms"]
    run = neurolab.run([*typed, "input.amplitude=1.5mA"], tmp_path / "run")
    ax = run.plot.stimulus(time=(10, 50), color="red")
    (line,) = ax.lines
    np.testing.assert_allclose(line.get_xdata(), [0, 20, 20, 60, 60, 100])
    np.testing.assert_allclose(line.get_ydata(), [0, 0, 1.5, 1.5, 0, 0])
    assert (ax.get_xlim(), ax.get_ylabel(), line.get_color()) == ((10, 50), "input (mA)", "red")
    assert drawn([str(run.path), "--kind", "stimulus,raster", "--format", "png"]) == 0
    assert (run.path / "stimulus_raster.png").exists()
    without = neurolab.run([*typed], save=False)
    with pytest.raises(ValueError, match=r"none was kept .*V,input"):
        without.plot.stimulus()
    spikes = ["duration=20ms", "size=2", "input=poisson"]
    with pytest.raises(ValueError, match="spikes or noise came, and no signal"):
        neurolab.run(spikes, tmp_path / "spikes").plot.stimulus()
