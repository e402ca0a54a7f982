"""Pictures of sweeps: every Dataset gets a legible one, its axes are the swept keys with units."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from neurolab.plots import sweep as plots
from neurolab.plots.sweep_keys import Key

UNITS = {"neuron.b": "mA", "input.rate": "Hz", "input.amplitude": "rheobase", "neuron.tau": "ms"}
B, RATE = np.linspace(0.0, 50.0, 11), np.linspace(1.0, 30.0, 12)


def swept(values=None, status=None, joint=None, **axes) -> xr.Dataset:
    """A sweep over `axes`, in order; those that are named in `joint` share this dimension."""
    keys = {name.replace("__", "."): np.array(axis) for name, axis in axes.items()}
    dims = {name: joint or name for name in keys}
    data = xr.Dataset(
        coords={
            name: (dims[name], axis, {"units": UNITS[name]} if name in UNITS else {})
            for name, axis in keys.items()
        },
        attrs={"title": "adexif_ref, poisson"},
    )
    order = list(dict.fromkeys(dims.values()))
    shape = tuple(data.sizes[dim] for dim in order)
    if values is None:
        values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    status = np.full(shape, "completed") if status is None else np.broadcast_to(status, shape)
    values = np.where(status == "completed", values, np.nan)
    data["rate_hz"] = (order, values, {"units": "Hz", "long_name": "firing rate"})
    data["isi_cv"] = (order, values / 100, {"units": "1", "long_name": "CV of intervals"})
    data["status"] = (order, status)
    return data


def words(figure) -> str:
    from matplotlib.text import Text

    return " | ".join(text.get_text() for text in figure.findobj(Text) if text.get_text())


def panels(figure) -> list:
    """The axes that show data: not that of a colour bar."""
    return [ax for ax in figure.axes if ax.get_subplotspec() is not None]


def labels(figure) -> tuple[str, str]:
    ax = figure.axes[0]
    return ax.get_xlabel(), ax.get_ylabel()


def is_heatmap(figure) -> bool:
    from matplotlib.collections import QuadMesh

    return any(isinstance(artist, QuadMesh) for artist in figure.axes[0].collections)


def test_one_number_is_a_line():
    """An f-I curve: the key with its unit below, the value with its unit beside, every point."""
    figure = plots.draw(swept(input__amplitude=[0.5, 1.0, 2.0]))
    assert labels(figure) == ("input.amplitude (rheobase)", "firing rate (Hz)")
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), [0.5, 1.0, 2.0])
    assert figure.axes[0].lines[0].get_linestyle() == "-"
    assert "adexif_ref, poisson" in words(figure)
    assert labels(plots.draw(swept(neuron__b=B), "isi_cv"))[1] == "CV of intervals"


def test_points_of_numbers_are_drawn_in_their_order():
    """A line ascends however the values of the key were given."""
    line = plots.draw(swept(neuron__b=[3.0, 1.0, 2.0])).axes[0].lines[0]
    np.testing.assert_array_equal(line.get_xydata(), [[1, 1], [2, 2], [3, 0]])


def test_categories_have_their_names_and_no_unit():
    """Neurons by name are points that no line joins."""
    figure = plots.draw(swept(neuron=["lif", "expif", "gif"]))
    assert labels(figure) == ("neuron", "firing rate (Hz)")
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["lif", "expif", "gif"]
    assert figure.axes[0].lines[0].get_linestyle() == "None"


def test_two_numbers_are_a_heatmap():
    """The key of more values is horizontal; the colour bar says what the colours are."""
    figure = plots.draw(swept(neuron__b=B, input__rate=RATE))
    assert is_heatmap(figure)
    assert labels(figure) == ("input.rate (Hz)", "neuron.b (mA)")
    assert figure.axes[1].get_ylabel() == "firing rate (Hz)"
    mesh = figure.axes[0].collections[0]
    np.testing.assert_array_equal(mesh.get_array(), np.arange(132).reshape(11, 12))


def test_cells_meet_half_way_between_their_values():
    """Of uneven values the arithmetic, of logarithmic ones the geometric mean."""
    uneven = Key("x", "x", np.array([0.0, 1.0, 4.0, 6.0]))
    np.testing.assert_allclose(uneven.edges(), [-0.5, 0.5, 2.5, 5.0, 7.0])
    decades = Key("x", "x", np.array([1.0, 100.0, 10_000.0]))
    np.testing.assert_allclose(decades.edges(), [0.1, 10.0, 1000.0, 100_000.0])
    np.testing.assert_allclose(Key("x", "x", np.array(["a", "b"])).edges(), [-0.5, 0.5, 1.5])


@pytest.mark.parametrize(
    ("values", "log"),
    [
        (np.logspace(0, 3, 10), True),
        ([1, 2, 5, 10, 20, 50], True),
        (10 ** np.random.default_rng(0).uniform(0, 3, 100), True),
        (np.linspace(0.1, 50, 20), False),
        (np.random.default_rng(0).uniform(0.1, 50, 100), False),
        ([0, 1, 10, 100], False),
        ([10, 12, 14], False),
    ],
)
def test_the_axis_is_logarithmic_where_the_values_are(values, log):
    """Even and random values alike; never with a zero or over a narrow range."""
    values = np.array(values, float)
    assert Key("x", "x", values).log == log
    scale = plots.draw(swept(input__rate=values)).axes[0].get_xscale()
    assert scale == ("log" if log else "linear")


@pytest.mark.parametrize("few", [[0.0, 20.0, 40.0], ["lif", "expif", "gif"]])
def test_few_values_or_categories_are_lines(few):
    """One line for each, named with their colours beside."""
    figure = plots.draw(swept(input__rate=RATE, **{"neuron__b": few}))
    assert not is_heatmap(figure)
    assert len(figure.axes[0].lines) == 3
    for value in few:
        assert f"| {value if isinstance(value, str) else f'{value:g}'}" in words(figure)


def test_what_was_not_completed_is_hatched_in_a_heatmap_and_named():
    """Cells of each status are one hatched patch over exactly these cells; how many is told."""
    status = np.full((11, 12), "completed", object)
    status[:2, 10:], status[-1], status[5, 3] = "diverged", "refused", "missing"
    figure = plots.draw(swept(neuron__b=B, input__rate=RATE, status=status.astype(str)))
    patches = {patch.get_label(): patch for patch in figure.axes[0].patches}
    assert set(patches) == {"diverged", "refused", "missing"}
    assert all(patch.get_hatch() for patch in patches.values())
    low, high = patches["diverged"].get_path().get_extents().get_points()
    step = RATE[1] - RATE[0]
    np.testing.assert_allclose(low, [RATE[10] - step / 2, -2.5])
    np.testing.assert_allclose(high, [RATE[11] + step / 2, 7.5])
    for text in ("4 diverged", "12 refused", "1 missing"):
        assert text in words(figure)


def test_what_was_not_completed_is_a_symbol_above_a_line():
    """At its place on the axis, above all values, in the colour of its line."""
    status = np.array([["completed"] * 4, ["completed", "completed", "diverged", "failed"]])
    figure = plots.draw(swept(neuron=["a", "b"], input__rate=[1.0, 2, 3, 4], status=status))
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert lines["diverged"].get_xdata().tolist() == [3.0]
    assert lines["failed"].get_xdata().tolist() == [4.0]
    assert lines["failed"].get_ydata()[0] > 5.0
    assert lines["failed"].get_color() == "#D55E00"
    assert "× 1 diverged" in words(figure)


def test_three_keys_are_small_multiples():
    """A panel for each value of the key with fewest, with its unit, all with the same colours."""
    data = swept(neuron__b=B, input__amplitude=[0.5, 1.0, 1.5], input__rate=RATE)
    figure = plots.draw(data)
    assert len(panels(figure)) == 3
    assert "input.amplitude\n= 1.5 rheobase" in words(figure)
    assert len({ax.collections[0].get_clim() for ax in panels(figure)}) == 1
    np.testing.assert_array_equal(
        panels(figure)[1].collections[0].get_array(), data["rate_hz"].values[:, 1, :]
    )


def test_at_most_sixteen_panels():
    """Evenly chosen, the first and the last among them; the title says so."""
    amplitude = np.arange(1.0, 22.0)
    figure = plots.draw(
        swept(neuron__b=np.arange(22.0), input__amplitude=amplitude, input__rate=np.arange(23.0))
    )
    assert len(panels(figure)) == 16
    assert "16 of 21 input.amplitude" in words(figure)
    assert "= 1 rheobase" in words(figure) and "= 21 rheobase" in words(figure)


def test_many_names_are_panels_with_an_axis_each():
    """Neurons that fire ten times as fast as others leave these their own scale; marks of what was
    not completed are above the values of their panel."""
    names = [f"neuron{i}" for i in range(13)]
    rates = np.outer(np.logspace(0, 2, 13), np.arange(6.0))
    status = np.where(rates == rates[3, 4], "diverged", "completed")
    data = swept(rates, status=status, neuron=names, input__amplitude=np.arange(1.0, 7.0))
    figure = plots.draw(data)
    shown = panels(figure)
    assert [ax.get_title() for ax in shown] == names
    tops = [ax.get_ylim()[1] for ax in shown]
    assert tops[-1] == pytest.approx(100 * tops[0], rel=1e-6)
    (mark,) = [line for ax in shown for line in ax.lines if line.get_marker() == "x"]
    assert mark.axes is shown[3]
    assert rates[3, 5] < mark.get_ydata()[0] < tops[3] and mark.get_xdata() == [5]
    along = plots.draw(data, along=["input.amplitude", "neuron"])
    assert len(panels(along)) == 1 and is_heatmap(along)  # as was asked for
    lines = np.stack([rates, 2 * rates], axis=-1)
    axes = {"neuron": names, "input__amplitude": np.arange(1.0, 7.0), "neuron__b": [0.0, 1.0]}
    assert len(panels(plots.draw(swept(lines, **axes)))) == 13


def test_more_keys_are_a_grid_of_panels_at_one_value():
    """Two keys as columns and rows; the rest at their first value, which the title says."""
    data = swept(
        neuron__b=B,
        input__rate=RATE,
        neuron=["lif", "gif"],
        input__amplitude=[1.0, 2.0, 4.0],
        neuron__tau=[1.0, 2.0, 3.0, 4.0],
    )
    figure = plots.draw(data)
    assert len(panels(figure)) == 6
    assert "neuron.tau = 1 ms" in words(figure)
    assert "lif" in words(figure) and "= 4 rheobase" in words(figure)
    expected = data["rate_hz"].isel({"neuron.tau": 0, "neuron": 1, "input.amplitude": 0})
    shown = panels(figure)[3].collections[0].get_array()
    np.testing.assert_allclose(shown, expected.transpose("neuron.b", "input.rate"))


def test_seeds_are_repetitions():
    """A line is their mean in a band of one standard deviation; a heatmap is their mean."""
    values = np.random.default_rng(0).normal(20, 3, (11, 5))
    figure = plots.draw(swept(values, neuron__b=B, seed=range(5)))
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), values.mean(axis=1))
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx((values.mean(axis=1) + values.std(axis=1, ddof=1)).max())
    assert "mean of 5 seeds ± s.d." in words(figure)
    grid = plots.draw(swept(neuron__b=B, input__rate=RATE, seed=range(5)))
    assert len(panels(grid)) == 1 and "mean of 5 seeds |" in words(grid)


def test_the_axis_reaches_over_points_without_a_value():
    """CVs of a few spikes are missing: their picture has the axis that the one of rates has."""
    values = np.where(np.arange(11) < 4, np.nan, 1.0)
    ax = plots.draw(swept(values, neuron__b=B)).axes[0]
    assert ax.get_xlim()[0] < B[0] and ax.get_xlim()[1] > B[-1]


def test_few_values_of_a_logarithmic_axis_are_its_ticks():
    figure = plots.draw(swept(neuron__tau=[20.0, 60.0, 200.0]))
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["20", "60", "200"]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([10.0, 20.0, 40.0], ["10", "20", "40"]),
        ([1.0, 2.0, 4.0, 8.0, 16.0], ["1", "2", "4", "8", "16"]),
        ([1e4, 2e4, 4e4, 8e4, 16e4], ["10,000", "", "40,000", "", "160,000"]),
    ],
)
def test_narrow_panels_have_ticks_at_these_values_too(values, told):
    """In a row of three there is room for few: the first and the last one are told, and no two
    overlap."""
    data = swept(neuron__tau=values, neuron__b=[0.0, 5.0, 10.0], neuron=["if", "lif", "gif"])
    figure = plots.draw(data, along=["neuron.tau", "neuron", "neuron.b"])
    assert len(panels(figure)) == 3
    figure.canvas.draw()
    for ax in panels(figure):
        ticks = ax.get_xticklabels()
        assert ax.get_xticks().tolist() == values and [t.get_text() for t in ticks] == told
        boxes = [t.get_window_extent() for t in ticks if t.get_text()]
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize(
    ("attributes", "told"),
    [
        ({"size": 12000, "duration": "200ms"}, "N = 12,000, 200 ms"),
        ({"duration": "1.5 second"}, "1.5 second"),
        ({"size": 3, "duration": "2 * s"}, "N = 3"),
        ({}, None),
    ],
)
def test_what_all_runs_share_is_told(attributes, told):
    data = swept(neuron__b=B, seed=range(2)).assign_attrs(attributes)
    found = words(plots.draw(data)).split(" | ")
    assert any(text.startswith("mean of 2 seeds") for text in found)
    assert told in found if told else not any("N = " in text for text in found)


def test_seeds_alone_are_points_around_their_mean():
    """Nothing else was swept: each run, a line at the mean, and its number."""
    figure = plots.draw(swept([20.0, 21.0, 25.0], seed=[1, 2, 3]))
    points, mean = figure.axes[0].lines[:2]
    assert points.get_linestyle() == "None"
    assert mean.get_ydata() == pytest.approx([22.0, 22.0])
    assert "mean 22, s.d. 2.6" in words(figure)


def test_two_sampled_keys_are_points_in_the_colour_of_their_value():
    """Where a run diverged there is a symbol."""
    rng, status = np.random.default_rng(0), np.array(["completed"] * 19 + ["diverged"])
    b, rate = rng.uniform(0, 1, (2, 20))
    figure = plots.draw(swept(joint="sample", neuron__b=b, input__rate=rate, status=status))
    assert labels(figure) == ("neuron.b (mA)", "input.rate (Hz)")
    points = figure.axes[0].collections[0]
    np.testing.assert_array_equal(points.get_offsets(), np.stack([b, rate], axis=1))
    np.testing.assert_array_equal(points.get_array()[:19], np.arange(19))
    (diverged,) = (line for line in figure.axes[0].lines if line.get_label() == "diverged")
    np.testing.assert_array_equal(diverged.get_xydata(), [[b[19], rate[19]]])


def test_more_keys_in_a_sample_have_a_panel_each():
    """The value against each of them, each with its own axis."""
    rng = np.random.default_rng(0)
    data = swept(
        joint="sample",
        neuron__b=rng.uniform(0, 1, 20),
        input__rate=10 ** rng.uniform(0, 3, 20),
        neuron=rng.choice(["lif", "gif"], 20),
    )
    figure = plots.draw(data)
    names = [ax.get_xlabel() for ax in panels(figure)]
    assert names == ["neuron.b (mA)", "input.rate (Hz)", "neuron"]
    assert [ax.get_xscale() for ax in panels(figure)] == ["linear", "log", "linear"]


def test_a_zipped_key_is_a_line_and_a_sampled_one_is_points():
    """Neighbours are joined only where the walk has an order."""
    for joint, style in (("zip", "-"), ("sample", "None"), ("point", "None")):
        figure = plots.draw(swept(joint=joint, neuron__b=B, input__rate=np.ones(11)))
        assert labels(figure) == ("neuron.b (mA)", "firing rate (Hz)")
        assert figure.axes[0].lines[0].get_linestyle() == style


def test_keys_are_drawn_along_the_axes_that_are_asked_for():
    """x, then y, then panels; a key that was not swept is refused with those that were."""
    data = swept(neuron__b=B, input__rate=RATE, input__amplitude=[1.0, 2.0])
    assert labels(plots.draw(data.isel({"input.amplitude": 0}), along=["neuron.b"])) == (
        "neuron.b (mA)",
        "input.rate (Hz)",
    )
    figure = plots.draw(data, along=["neuron.b", "input.amplitude", "input.rate"])
    assert len(panels(figure)) == 12 and "input.rate\n= 1 Hz" in words(figure)
    assert "neuron.b (mA)" in words(figure) and not is_heatmap(figure)
    with pytest.raises(ValueError, match=r"neuron\.c was not swept.*neuron\.b, input\.rate"):
        plots.draw(data, along=["neuron.c"])


def test_there_is_no_picture_of_nothing():
    """No such value, words, no number, or no key with two values."""
    data = swept(neuron__b=B)
    assert plots.draw(data, "spike_count") is None
    assert plots.draw(data, "status") is None
    assert plots.draw(swept(np.full(11, np.nan), neuron__b=B)) is None
    assert plots.draw(swept(neuron__b=[1.0])) is None
    assert plots.draw(xr.Dataset({"rate_hz": 3.0})) is None


@pytest.mark.parametrize(
    "data",
    [
        swept(joint="point", neuron__b=[1.0, np.nan, 2.0], input__rate=[1.0, 1.0, np.nan]),
        swept(np.zeros(3), neuron__b=[1.0, 2.0, 3.0]),
        swept(neuron=[f"package.module.Neuron{i}" for i in range(40)], input__rate=RATE),
        swept(np.where(np.arange(9) == 4, np.inf, 1.0), neuron__b=np.arange(9.0)),
        swept(neuron__b=[1.0, 1.0, 2.0] * 3, input__rate=RATE),
        xr.Dataset({"rate_hz": (("point", "b"), np.ones((9, 9)))}),
    ],
    ids=["absent keys", "all zero", "many names", "infinite", "repeated values", "no coordinates"],
)
def test_odd_sweeps_are_drawn(data):
    """Whatever was swept, there is a figure."""
    assert plots.draw(data) is not None


def test_pictures_are_saved_for_values_that_there_are(tmp_path):
    """`<value>.png` of each, their paths returned; nothing for one that is all NaN."""
    data = swept(neuron__b=B)
    data["isi_cv"] = data["isi_cv"] * np.nan
    assert plots.draw_all(data, tmp_path) == [tmp_path / "rate_hz.png"]
    assert [path.name for path in tmp_path.iterdir()] == ["rate_hz.png"]
    assert (tmp_path / "rate_hz.png").read_bytes().startswith(b"\x89PNG")


def test_importing_imports_no_plotting_library():
    """Matplotlib and xarray come when a picture is drawn."""
    root = Path(plots.__file__).parents[2]
    code = (
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
        "import neurolab.plots.sweep\n"
        "print(sorted({'matplotlib', 'xarray', 'jax'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
