"""Page and picture of one sweep: the same points, on the same axes, with the same bars."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from neurolab.plots.panels_sweep import _over_seeds
from neurolab.plots.sweep import draw
from neurolab.report import write_report
from neurolab.results.axes import Axis, Column
from neurolab.results.batches import write_json
from neurolab.results.plan import Plan
from neurolab.results.sweep import open_sweep

pytest_plugins = ["browser"]

RNG = np.random.default_rng(0)
TAU, SEEDS = np.array([5.0, 8.0, 12.0]), np.arange(6)
DECADES, WIDE = np.logspace(0, 3, 13), np.logspace(0, 4, 9)


def made(folder, rates, *axes, bad=()):
    """The page of a sweep over these axes, each some keys and their values, and its data."""
    plan = Plan(
        tuple(key for _, keys in axes for key in keys), {},
        tuple(Axis(name, {k: Column(v, "ms" if v.dtype.kind == "f" else "")
                          for k, v in keys.items()}) for name, keys in axes),
        [{}], title="LIF",
    )  # fmt: skip
    batch = folder / "batches" / "000000"
    batch.mkdir(parents=True)
    rows = [
        {"point": i, "status": "completed", "rate_hz": rate, "spike_count": i, "duration_ms": 100.0,
         "n_steps": 1000, "seed": 0}
        for i, rate in enumerate(np.ravel(rates).tolist())
    ]  # fmt: skip
    for i in bad:
        rows[i] |= {"status": "diverged", "rate_hz": None, "rate_hz_so_far": 1e6, "message": "NaN"}
    write_json(folder / "definition.json", plan.to_json())
    write_json(batch / "commit.json", {"steps": 1000, "lengths": {}, "extra": {"rows": rows}})
    return write_report(folder), open_sweep(folder).data


def key(name, values):
    return name, {name: values}


def shown(browser):
    """What the page draws: its traces, its axes, and its selects of keys that have no axis."""
    return browser(
        """
        const { _fullData: all, _fullLayout: layout } = document.getElementById("plot");
        const one = (v) => (v?.length === undefined || v.trim ? v : [...v]);
        const plain = (values) => values && Array.from(values, one);
        return { traces: all.map((t) => ({ name: t.name, type: t.type, mode: t.mode, x: plain(t.x),
            y: plain(t.y), z: plain(t.z), sd: plain(t.error_y?.array), axis: t.yaxis,
            colour: plain(t.marker?.color?.map && t.marker.color) })),
          x: layout.xaxis.type, y: layout.yaxis.type,
          titles: (layout.annotations || []).map((one) => one.text),
          fixed: [...document.querySelectorAll("#fixed .choice")].map((one) =>
            one.querySelector("output")?.innerText
            ?? one.querySelector("select").selectedOptions[0].text) };
        """
    )


def drawn(ax):
    """The lines, or rows of points, of a panel by matplotlib, in their order."""
    lines = [line for line in ax.lines if line.get_marker() == "o"]
    return [line.get_xydata() for line in reversed(lines)]


def same_lines(page, figure, panel=0):
    name = f"y{panel + 1}" if panel else "y"
    traces = [t for t in page["traces"] if t["axis"] == name and t["x"] != [None]]
    lines = drawn(figure.axes[panel])
    assert len(traces) == len(lines)
    for trace, line in zip(traces, lines, strict=True):
        np.testing.assert_allclose(trace["x"], line[:, 0])
        np.testing.assert_allclose(np.array(trace["y"], float), line[:, 1], rtol=1e-6)
    return traces


def test_an_axis_is_logarithmic_in_both(browser, tmp_path):
    page, data = made(tmp_path, DECADES**0.5, key("input.rate", DECADES))
    browser.open(page)
    found, figure = shown(browser), draw(data)
    (line,) = same_lines(found, figure)
    assert line["mode"] == "lines+markers"
    assert found["x"] == figure.axes[0].get_xscale() == "log"
    assert browser.errors() == []


BARS = (
    ("sem", "s.e.m.", "standard errors"),
    ("ci", "95 % interval", "95 % confidence intervals"),
)


def test_bars_are_standard_deviations_of_seeds(browser, tmp_path):
    """Of n - 1 degrees of freedom; what diverged is in neither, but in a row above the values."""
    rates = RNG.normal(20, 3, (3, 6))
    page, data = made(tmp_path, rates, key("neuron.tau", TAU), key("seed", SEEDS), bad=[7])
    browser.open(page)
    found, figure = shown(browser), draw(data)
    (line,) = same_lines(found, figure)
    rates[1, 1] = np.nan
    np.testing.assert_allclose(line["y"], np.nanmean(rates, axis=1), rtol=1e-6)
    np.testing.assert_allclose(line["sd"], np.nanstd(rates, axis=1, ddof=1), rtol=1e-5)
    band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
    assert band.max() == pytest.approx(np.max(np.add(line["y"], line["sd"])), rel=1e-6)
    assert found["fixed"] == ["all (mean)"]
    (mark,) = (t for t in found["traces"] if t["axis"] == "y2")
    assert (mark["name"], mark["x"]) == ("1 diverged", [8.0])
    for bars, option, words in BARS:
        browser.choose("#bars", option)
        half = _over_seeds(data["rate_hz"], bars)[1].values
        np.testing.assert_allclose(shown(browser)["traces"][0]["sd"], half, rtol=1e-5)
        told = browser("return document.getElementById('plot-note').innerText")
        assert f"bars are {words}" in told
    browser.choose("#bars", "none")
    assert not shown(browser)["traces"][0]["sd"]
    browser.choose("#bars", "s.d.")
    browser.choose("#fixed select", "1")
    assert shown(browser)["traces"][0]["y"] == pytest.approx([rates[0, 1], None, rates[2, 1]])
    assert not shown(browser)["traces"][0]["sd"]


@pytest.mark.parametrize("n_keys", [2, 3])
def test_samples_are_points_in_both(browser, tmp_path, n_keys):
    """No line joins them, none is left out, and nothing is averaged."""
    names = ["neuron.tau", "input.rate", "neuron.b"][:n_keys]
    keys = {name: RNG.uniform(1, 2, 60) for name in names}
    rates = RNG.uniform(0, 50, 60)
    page, data = made(tmp_path, rates, ("sample", keys), bad=[3])
    browser.open(page)
    found, figure = shown(browser), draw(data)
    points = found["traces"][0]
    assert points["mode"] == "markers"
    assert found["fixed"] == []
    kept = np.delete(np.arange(60), 3)
    if n_keys == 2:
        dots = figure.axes[0].collections[0]
        at = np.stack([points["x"], points["y"]], axis=1)
        np.testing.assert_allclose(at, dots.get_offsets()[kept], rtol=1e-6)
        np.testing.assert_allclose(points["colour"], dots.get_array()[kept], rtol=1e-6)
    else:
        (line,) = drawn(figure.axes[0])
        order = np.argsort(points["x"])
        points = {name: np.array(points[name])[order] for name in "xy"}
        known = ~np.isnan(np.array(points["y"], float))
        np.testing.assert_allclose(
            np.stack([points["x"], points["y"]], axis=1)[known].astype(float),
            line[np.isfinite(line[:, 1])], rtol=1e-6,
        )  # fmt: skip


def test_keys_without_an_axis_are_panels_or_at_one_value(browser, tmp_path):
    """The page has the panels of the picture, in columns and rows, with their names, and a slider
    for the key that has no place; nothing is a mean over what was chosen."""
    axes = [
        key("neuron.tau", TAU), key("input.rate", np.arange(5.0)),
        key("dt", np.array([0.1, 0.2])), key("neuron.V_th", np.array([1.0, 1.2])),
        key("neuron.a", np.array([3.0, 4.0])),
    ]  # fmt: skip
    rates = RNG.uniform(0, 50, (3, 5, 2, 2, 2))
    page, data = made(tmp_path, rates, *axes)
    browser.open(page)
    found, figure = shown(browser), draw(data)
    assert len(figure.axes) == 4
    traces = [trace for panel in range(4) for trace in same_lines(found, figure, panel)]
    assert len(traces) == 4 * 3
    assert not any(trace["sd"] for trace in traces)
    assert found["fixed"] == ["3 ms"]
    names = {"neuron.V_th = 1 ms", "neuron.V_th = 1.2 ms", "dt = 0.1 ms", "dt = 0.2 ms"}
    assert names <= set(found["titles"])
    slide(browser, "#fixed input", 1)
    found = shown(browser)
    assert found["fixed"] == ["4 ms"]
    np.testing.assert_allclose(found["traces"][0]["y"], rates[0, :, 0, 0, 1], rtol=1e-6)
    assert "fixed-4=4+ms" in browser("return location.href")
    browser.driver.refresh()
    assert shown(browser)["fixed"] == ["4 ms"]
    assert browser.errors() == []


@pytest.mark.parametrize(("largest", "tick"), [(1.2e4, "10,000"), (9e-6, "5e−6"), (1.2, "0.4")])
def test_ticks_are_numbers_not_prefixes(browser, tmp_path, largest, tick):
    page, _ = made(tmp_path, np.linspace(0, largest, 3), key("neuron.tau", TAU))
    browser.open(page)
    ticks = "return [...document.querySelectorAll('#plot .ytick text')].map((t) => t.textContent)"
    assert tick in browser(ticks)


BOXES = """
    const box = (of) => of.getBoundingClientRect();
    const found = [...document.querySelectorAll(`#plot ${arguments[0]}`)], all = found.map(box);
    const texts = found.map((of) => of.textContent);
    return all.map(({ left, right, top, bottom }, i) => [left, right, top, bottom, texts[i]]);
    """


@pytest.mark.parametrize("width", [1280, 400])
def test_titles_of_panels_touch_neither_each_other_nor_the_key(browser, tmp_path, width):
    axes = [
        key("neuron.tau", TAU), key("neuron.tau_w", np.array([20.0, 60.0, 200.0])),
        key("input.rate", np.array([10.0, 20.0, 40.0])), key("neuron.b", TAU),
    ]  # fmt: skip
    page, _ = made(tmp_path, RNG.uniform(0, 50, (3, 3, 3, 3)), *axes)
    browser.open(page, "light", width)
    titles, (legend,) = browser(BOXES, ".annotation-text"), browser(BOXES, ".legend .bg")
    top = [box for box in titles if re.fullmatch(r"(neuron\.)?tau ?= (5|8|12) ms", box[4])]
    assert len(top) == 3
    assert all(left[1] < right[0] for left, right in itertools.pairwise(sorted(top)))
    assert all(box[2] >= legend[3] - 6 for box in top)  # it has a margin below its texts
    assert browser.errors() == []


def slide(browser, selector, place):
    """Moves a slider as a hand does."""
    browser(
        """
        const input = document.querySelector(arguments[0]);
        input.value = arguments[1];
        input.dispatchEvent(new Event("input"));
        const frame = (then) => requestAnimationFrame(then); // drawn in the next one
        return new Promise((done) => frame(() => frame(() => done())));
        """,
        selector, place,
    )  # fmt: skip


def test_many_names_are_panels_with_their_own_scale(browser, tmp_path):
    """As in the picture; a mark of what diverged is in its panel, and what is fixed has one scale
    for all panels once that is asked for."""
    names = np.array([f"neuron{i}" for i in range(13)])
    rates = np.outer(np.logspace(0, 2, 13), np.arange(1.0, 7.0))
    neurons = "neuron", {"neuron": names}
    page, data = made(tmp_path, rates, neurons, key("input.rate", np.arange(6.0)), bad=[20])
    browser.open(page)
    found, figure = shown(browser), draw(data)
    for panel, ax in enumerate(figure.axes):
        (line,) = same_lines(found, figure, panel)
        assert found["titles"][panel] == ax.get_title() == names[panel]
        assert len(line["x"]) == 6
    tops = """const all = document.getElementById("plot")._fullLayout;
              return ["yaxis", "yaxis13"].map((name) => all[name].range[1]);"""
    low, high = browser(tops)
    assert high == pytest.approx(100 * low, rel=1e-3)
    (mark,) = [t for t in found["traces"] if t["name"] == "1 diverged"]
    assert (mark["axis"], mark["x"]) == ("y17", [2.0])  # above panel 4 of 13
    browser("document.getElementById('free').click()")
    low, high = browser(tops)
    assert low == high
    assert browser.errors() == []


def test_each_key_of_a_sample_has_a_panel_in_both(browser, tmp_path):
    keys = {name: RNG.uniform(1, 2, 60) for name in ("neuron.tau", "input.rate", "neuron.b")}
    page, data = made(tmp_path, RNG.uniform(0, 50, 60), ("sample", keys))
    browser.open(page)
    found, figure = shown(browser), draw(data)
    for panel in range(3):
        (points,) = [t for t in found["traces"] if t["axis"] == (f"y{panel + 1}" if panel else "y")]
        (line,) = drawn(figure.axes[panel])
        order = np.argsort(points["x"])
        np.testing.assert_allclose(np.array(points["x"])[order], line[:, 0], rtol=1e-6)
        np.testing.assert_allclose(np.array(points["y"])[order], line[:, 1], rtol=1e-6)


def test_colours_by_logarithm_and_evenly(browser, tmp_path):
    """Cells are coloured by the logarithm of their value, or by its rank; the bar says values, and
    what has no logarithm is counted."""
    axes = key("neuron.tau", np.arange(5.0, 12.0)), key("input.rate", WIDE)
    rates = np.logspace(-1, 3, 63).reshape(7, 9)
    rates[0, 0] = 0
    page, _ = made(tmp_path, rates, *axes)
    browser.open(page)
    browser.choose("#scale", "logarithmic")
    z = np.array(shown(browser)["traces"][0]["z"], float)
    assert np.isnan(z[0, 0])
    np.testing.assert_allclose(z.ravel()[1:], np.log10(rates.ravel()[1:]), rtol=1e-6)
    assert "1 value of 0 or less has no place" in browser.find("#plot-note").text
    ticks = "return document.getElementById('plot')._fullLayout.coloraxis.colorbar.ticktext"
    assert browser(ticks) == ["1", "10", "100", "1,000"]
    browser.choose("#scale", "even colours")
    np.testing.assert_allclose(shown(browser)["traces"][0]["z"], np.arange(63).reshape(7, 9) / 62)
    browser("document.getElementById('contours').click()")
    contours = shown(browser)["traces"][-1]
    assert contours["type"] == "contour"
    np.testing.assert_allclose(contours["z"], rates, rtol=1e-6)
    assert browser.errors() == []


def test_cells_are_at_the_same_edges(browser, tmp_path):
    """Of a heatmap with a logarithmic axis, averaged over seeds."""
    axes = key("neuron.tau", np.arange(5.0, 12.0)), key("input.rate", WIDE), key("seed", SEEDS)
    rates = RNG.uniform(0, 50, (7, 9, 6))
    page, data = made(tmp_path, rates, *axes)
    browser.open(page)
    found, figure = shown(browser), draw(data)
    cells, mesh = found["traces"][0], figure.axes[0].collections[0]
    assert (cells["type"], found["x"], found["y"]) == ("heatmap", "log", "linear")
    corners = mesh.get_coordinates()
    np.testing.assert_allclose(cells["x"], corners[0, :, 0])
    np.testing.assert_allclose(cells["y"], corners[:, 0, 1])
    np.testing.assert_allclose(cells["z"], mesh.get_array().reshape(7, 9), rtol=1e-6)
    np.testing.assert_allclose(cells["z"], rates.mean(axis=2), rtol=1e-6)


def test_what_is_walked_together_is_one_line(browser, tmp_path):
    """Of a zip and a grid, the value over the first key of the zip; no mean, no other axis."""
    pair = {"neuron.a": np.array([1.0, 2.0, 4.0, 6.0]), "neuron.b": np.array([1.0, 5.0, 5.0, 7.0])}
    page, data = made(tmp_path, RNG.uniform(0, 50, (4, 3)), ("zip", pair), key("neuron.tau", TAU))
    browser.open(page)
    found, figure = shown(browser), draw(data)
    assert len(same_lines(found, figure)) == 3
    assert found["fixed"] == []


def test_keys_that_one_axis_names_together(browser, tmp_path):
    """Of a list of points none of whose keys tells all apart: both, in one text for each point."""
    pair = {"neuron.a": np.array([1.0, 1.0, 2.0]), "neuron.b": np.array([3.0, 4.0, 4.0])}
    rates = RNG.uniform(0, 50, (3, 4))
    page, data = made(tmp_path, rates, ("zip", pair), key("input.rate", np.arange(4.0)))
    browser.open(page)
    found, figure = shown(browser), draw(data)
    same_lines(found, figure)
    names = [trace["name"] for trace in found["traces"]]
    assert names == ["1 ms, 3 ms", "1 ms, 4 ms", "2 ms, 4 ms"]
    browser.choose("#x", "neuron.a, neuron.b")
    browser.choose("#colour", "none")
    assert shown(browser)["traces"][0]["y"] == pytest.approx(rates[:, 0], rel=1e-6)
    assert "neuron.a, neuron.b" not in " ".join(browser.texts(".points th"))


def test_a_sample_in_colours_is_one_row_of_points(browser, tmp_path):
    """Not a line for each of its points."""
    keys = {name: RNG.uniform(1, 2, 60) for name in ("neuron.a", "neuron.b", "neuron.c")}
    page, _ = made(tmp_path, np.arange(60.0), ("sample", keys))
    browser.open(page)
    browser.choose("#x", "neuron.a (ms)")
    browser.choose("#colour", "neuron.b (ms)")
    (points,) = shown(browser)["traces"]
    assert sorted(points["colour"]) == pytest.approx(sorted(keys["neuron.b"]), rel=1e-6)
    assert browser.errors() == []


def test_many_lines_have_a_key(browser, tmp_path):
    """Fifty lines of a number: a bar says what their colours are, a legend could not."""
    axes = key("neuron.b", np.arange(50.0)), key("input.rate", np.arange(8.0))
    page, _ = made(tmp_path, RNG.uniform(0, 50, (50, 8)), *axes)
    browser.open(page)
    browser.choose("#y", "the value (lines)")
    browser.choose("#x", "input.rate (ms)")
    browser.choose("#colour", "neuron.b (ms)")
    bars = browser(
        "return document.getElementById('plot')._fullData.filter(t => t.marker.showscale).length"
    )
    assert bars == 1
    assert browser("return document.getElementById('plot')._fullLayout.showlegend") is False
    assert browser.errors() == []


def test_partial_values_have_a_name_of_their_own(browser, tmp_path):
    """What diverged is drawn where its value so far was asked for, and nowhere else."""
    page, data = made(tmp_path, [1.0, 2.0, 3.0], key("neuron.tau", TAU), bad=[1])
    assert draw(data, "spike_count").axes[0].lines[0].get_ydata()[1] != 1
    browser.open(page)
    for value, expected in (("rate_hz", [1, None, 3]), ("spike_count", [0, None, 2]),
                            ("rate_hz_so_far", [None, 1e6, None])):  # fmt: skip
        browser.choose("#value", value)
        assert shown(browser)["traces"][0]["y"] == expected
        (line,) = drawn(draw(data, value).axes[0])
        np.testing.assert_allclose(line[:, 1], np.array(expected, float))


def test_all_that_diverged_is_nothing_to_draw(browser, tmp_path):
    """No picture, no axes on the page but of what was reached, and no rate among its tiles."""
    page, data = made(tmp_path, [1.0, 2.0, 3.0], key("neuron.tau", TAU), bad=[0, 1, 2])
    assert draw(data) is None
    browser.open(page)
    browser.wait("return document.querySelectorAll('#value option').length > 0")
    options = browser("return [...document.querySelectorAll('#value option')].map(o => o.text)")
    assert options == ["rate_hz_so_far"]
    assert "rates" not in " ".join(browser.texts(".tile dt"))
