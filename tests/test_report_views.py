"""The page of a sweep: what is brushed is filtered, and the other way round; lines over all keys,
importance, and two points beside one another."""

from __future__ import annotations

import numpy as np
import pytest
from test_report_pictures import key, made, shown

from neurolab.analysis import main_effect
from neurolab.numbers import number

pytest_plugins = ["browser"]

RNG = np.random.default_rng(1)
TAU, RATE = np.arange(5.0, 13.0), np.arange(10.0, 100.0, 10.0)
FILTER = "return document.getElementById('filter').value"
SELECT = "document.querySelector('#plot [data-title=\"Box Select\"]').click()"
LEFT, RIGHT, UP, DOWN, ENTER = "\ue012", "\ue014", "\ue013", "\ue015", "\ue007"


def grid(tmp_path):
    tau, rate = np.meshgrid(TAU, RATE, indexing="ij")
    rates = 100 * (tau / 12) ** 2 + rate / 5
    return rates, made(tmp_path, rates, key("neuron.tau", TAU), key("input.rate", RATE))[0]


def test_a_box_in_cells_filters_the_table(browser, tmp_path):
    """By the values of the keys in it; what it leaves out is faint, and another box replaces it."""
    _, page = grid(tmp_path)
    browser.open(page)
    browser(SELECT)
    browser.drag("#plot", (0.3, 0.4), (0.6, 0.7))
    typed = browser.wait(FILTER)
    found = dict(part.split(">=") for part in typed.split() if ">=" in part)
    ends = dict(part.split("<=") for part in typed.split() if "<=" in part)
    assert set(found) == set(ends) == {"neuron.tau", "input.rate"}
    inside = [
        np.sum((float(found[name]) <= values) & (values <= float(ends[name])))
        for name, values in (("neuron.tau", TAU), ("input.rate", RATE))
    ]
    assert 1 < inside[0] < 8 and 1 < inside[1] < 9
    assert browser.find("#filter-told").text == f"{np.prod(inside)} of 72 points"
    kept, faint = (np.array(trace["z"], float) for trace in shown(browser)["traces"][:2])
    assert np.isfinite(kept).sum() == np.prod(inside)
    assert (np.isfinite(kept) ^ np.isfinite(faint)).all()
    assert "is faint" in browser.find("#plot-note").text
    browser.drag("#plot", (0.2, 0.2), (0.8, 0.3))
    assert browser.wait(
        f"const now = (() => {{ {FILTER} }})(); return now !== arguments[0] && now", typed
    )
    assert browser(FILTER).count("neuron.tau") == 2
    browser.type("#filter", "rate_hz>1e9")
    browser.wait("return document.getElementById('filter-told').innerText === '0 of 72 points'")
    assert browser.errors() == []


def test_a_box_around_lines_is_of_the_value(browser, tmp_path):
    rates, page = grid(tmp_path)
    browser.open(page)
    browser.choose("#y", "the value (lines)")
    browser.choose("#colour", "none")
    browser(SELECT)
    browser.drag("#plot", (0.1, 0.3), (0.97, 0.75))
    typed = browser.wait(FILTER)
    limits = [float(part.split("=")[1]) for part in typed.split() if part.startswith("rate_hz")]
    n = np.sum((limits[0] <= rates) & (rates <= limits[1]))
    assert 0 < n < 72
    assert browser.find("#filter-told").text == f"{n} of 72 points"
    assert browser.errors() == []


def test_names_are_filtered_by_several(browser, tmp_path):
    names = np.array(["lif", "gif", "a cell"])
    page, _ = made(
        tmp_path, RNG.uniform(0, 9, (3, 8)), key("neuron", names), key("neuron.tau", TAU)
    )
    browser.open(page)
    told = {"neuron=lif,gif": 16, 'neuron="a cell"': 8, 'neuron="a cell",lif tau<7': 4,
            "neuron!=lif,gif": 8}  # fmt: skip
    for text, n in told.items():
        browser.type("#filter", text)
        assert browser.find("#filter-told").text == f"{n} of 24 points"
    assert browser.errors() == []


def test_points_as_lines_over_all_keys(browser, tmp_path):
    """A line for each point, from axis to axis at the place of its value; a box on an axis
    filters, and lines that it leaves out are faint."""
    rates, page = grid(tmp_path)
    browser.open(page)
    browser.find("#view-picture").click()
    browser.press(RIGHT)
    assert browser("return document.activeElement.id") == "view-parallel"
    browser.wait("return document.getElementById('parallel').data")
    get = """const { data } = document.getElementById("parallel");
      const every = data.flatMap((t) => t.customdata.flatMap((p, i) => (t.x[i] === 0
        ? [[p, t.y[i], t.y[i + 1], t.y[i + 2], t.opacity]] : [])));
      return every.sort((a, b) => a[0] - b[0]);"""
    lines = np.array(browser(get))
    assert lines[:, 0].tolist() == list(range(72))
    tau, rate = np.meshgrid(np.linspace(0, 1, 8), np.linspace(0, 1, 9), indexing="ij")
    expected = np.stack(
        [tau.ravel(), rate.ravel(), ((rates - rates.min()) / np.ptp(rates)).ravel()]
    )
    np.testing.assert_allclose(lines[:, 1:4].T, expected, rtol=1e-5, atol=1e-6)
    browser.drag("#parallel", (0.3, 0.4), (0.1, 0.03))  # the upper part of the first axis
    typed = browser.wait(FILTER)
    low = float(typed.split()[0].removeprefix("neuron.tau>="))
    assert typed.split()[1] == "neuron.tau<=12" and 5 < low < 12
    lines = np.array(browser(get))
    inside = np.repeat(low <= TAU, 9)
    assert lines[inside, 4].min() > lines[~inside, 4].max()
    address = browser("return location.href")
    assert "view=parallel" in address
    browser.driver.refresh()
    assert browser("return document.getElementById('view-picture-panel').hidden")
    browser.press(LEFT)
    assert browser.errors() == []


def test_importance_is_that_of_the_analysis(browser, tmp_path):
    rates, page = grid(tmp_path)
    browser.open(page)
    browser.find("#view-importance").click()
    (bars,) = browser("return document.getElementById('importance').data.map(({x, y}) => [x, y])")
    expected = {
        "neuron.tau": main_effect(rates.ravel(), np.repeat(np.arange(8), 9)),
        "input.rate": main_effect(rates.ravel(), np.tile(np.arange(9), 8)),
    }
    assert dict(zip(bars[1], bars[0], strict=True)) == pytest.approx(expected, rel=1e-5)
    assert sum(expected.values()) == pytest.approx(1)  # without an interaction
    assert "together 1;" in browser.find("#importance-note").text
    browser.choose("#value", "isi_cv") if "isi_cv" in browser.texts("#value option") else None
    assert browser.errors() == []


def test_a_picture_is_walked_with_arrows(browser, tmp_path):
    """From point to point along its axes; the point is said and has a ring, Enter opens it."""
    rates, page = grid(tmp_path)
    browser.open(page)
    browser("document.getElementById('plot').focus()")
    x = browser("return document.getElementById('x').selectedOptions[0].text")
    browser.press(RIGHT, RIGHT, UP)
    told = browser.find("#plot-cursor").text
    assert x == "input.rate (ms)"  # of more values
    assert "neuron.tau = 6 ms, input.rate = 20 ms" in told
    assert f"rate_hz = {number(rates[1, 1])} Hz" in told
    browser.press(DOWN, LEFT, LEFT)  # the last one has no point there
    assert "neuron.tau = 5 ms, input.rate = 10 ms" in browser.find("#plot-cursor").text
    browser.press(ENTER)
    assert browser.find("#drawer h2").text == "Point 0"
    assert browser.errors() == []


def test_two_points_are_compared(browser, tmp_path):
    """The pinned one stays beside those that are opened next, also when the page is read again."""
    _, page = grid(tmp_path)
    browser.open(page)
    row = "document.querySelector('.points tbody tr[data-point=\"{}\"]').click()"
    browser(row.format(1))
    browser.find("#drawer .buttons button").click()
    browser(row.format(3))
    for again in (False, True):
        if again:
            browser.driver.refresh()
            browser.wait("return !document.getElementById('drawer').hidden")
        assert browser.find("#drawer h2").text == "Points 1 and 3"
        rows = browser.texts("#drawer table.values tr")
        assert "neuron.tau\t5 ms\t5 ms" in rows and "input.rate\t20 ms\t40 ms" in rows
        differ = browser.texts("#drawer tr.differs th")
        assert "input.rate" in differ and "rate_hz" in differ and "neuron.tau" not in differ
        assert len(browser.texts("#drawer .command")) == 2
    browser(row.format(1))
    assert browser.find("#drawer h2").text == "Point 1"
    browser.find("#drawer .buttons button").click()  # let go
    browser(row.format(5))
    assert browser.find("#drawer h2").text == "Point 5"
    assert "pinned" not in browser("return location.href")
    assert browser.errors() == []
