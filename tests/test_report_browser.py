"""Pages as a person uses them, in a headless Chromium: they zoom, filter, sort, compare."""

from __future__ import annotations

import re
import shutil

import pytest
from sweeps import KEEP

import neurolab
from neurolab.report import write_index, write_report

pytest_plugins = ["browser"]

RUN, SWEEP = "2026-11-20/12-00-00-run/report.html", "2026-11-20/13-00-00-sweep/report.html"
PAGES = (RUN, SWEEP, "mishaps/report.html", "killed/report.html", "index.html")
RANGE = "return document.getElementById(arguments[0])._fullLayout[arguments[1]].range.map(Number)"
#: Pixels of the raster that spikes are on.
INK = """
const canvas = document.querySelector("#raster .spikes");
const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
return data.filter((value, i) => i % 4 === 3 && value > 0).length;
"""
PLOT = "#plot .nsewdrag"


@pytest.mark.parametrize(
    ("theme", "width"), [("light", 1280), ("dark", 1920), ("light", 390), ("dark", 390)]
)
def test_pages_open_without_errors_and_fit(outputs, browser, theme, width):
    """Light, dark, wide, narrow: no console errors, nothing wider than the window, no network."""
    for name in PAGES:
        browser.open(outputs / name, theme, width)
        assert browser.errors() == [], name
        assert browser("return document.documentElement.scrollWidth") <= width, name
        sources = browser("return performance.getEntriesByType('resource').map(e => e.name)")
        assert all(source.startswith(("file:", "data:", "blob:")) for source in sources)
        dark = browser("return getComputedStyle(document.body).backgroundColor")
        shade = sum(map(int, re.findall(r"\d+", dark)[:3])) / 3
        assert (shade < 60) == (theme == "dark"), name
        assert browser("return document.documentElement.lang && document.title")
        unnamed = (
            "return [...document.querySelectorAll('main button, main select, main input')].filter("
        )
        unnamed += "e => !(e.innerText || e.ariaLabel || e.labels?.length)).map(e => e.outerHTML)"
        assert browser(unnamed) == [], name


def test_a_theme_is_chosen_and_kept(outputs, browser):
    browser.open(outputs / RUN, "light")
    ink = browser("return document.querySelector('#raster')._fullLayout.font.color")
    browser.find("button.theme").click()
    assert browser("return document.querySelector('#raster')._fullLayout.font.color") != ink
    browser.open(outputs / "index.html", "light")
    assert browser("return document.documentElement.dataset.theme") == "dark"
    browser("localStorage.clear()")
    assert browser.errors() == []


def test_the_raster_zooms_and_what_is_below_follows(outputs, browser):
    """A drag across the raster changes the times of spikes, rate, traces; a button undoes it."""
    browser.open(outputs / RUN)
    whole = browser(INK)
    assert whole > 100
    before = browser(RANGE, "raster", "xaxis")
    assert before == [0, 300]
    browser.drag("#raster .nsewdrag", (0.25, 0.3), (0.5, 0.31))
    browser.wait("return document.getElementById('raster').layout.xaxis.range[0] > 50")
    start, end = browser(RANGE, "raster", "xaxis")
    assert browser(INK) < 0.6 * whole
    assert start == pytest.approx(75, abs=5)
    assert end == pytest.approx(150, abs=5)
    for name in ("rate", "traces"):
        there = f"document.getElementById('{name}')._fullLayout.xaxis.range"
        browser.wait(f"return Math.abs({there}[0] - {start}) + Math.abs({there}[1] - {end}) < 1e-6")
    browser.wait("return document.getElementById('rate')._fullData[0].x[0] > 0")
    x = browser("return [...document.getElementById('rate')._fullData[0].x]")
    assert x[0] <= start < x[1] and x[-2] < end <= x[-1]
    browser.find("button[aria-label='show all']").click()
    browser.wait("return document.getElementById('traces')._fullLayout.xaxis.range[1] >= 300")
    assert browser(RANGE, "raster", "xaxis") == before
    assert browser(INK) == whole
    browser.find("button[aria-label='zoom in']").click()
    browser.wait("return document.getElementById('raster')._fullLayout.xaxis.range[0] === 75")
    assert browser.errors() == []


@pytest.mark.parametrize("name", [RUN, "one"])
def test_page_and_picture_show_one_rate(outputs, browser, tmp_path, name):
    """The bins of the raster's strip, or 1/ISI, and what is said of them."""
    from neurolab.plots.rates import rate_of

    page = outputs / name
    if name == "one":
        one = ["neuron=lif", "input=constant", "input.amplitude=1.5rheobase", "size=1"]
        neurolab.run([*one, "duration=300ms", KEEP], tmp_path / "one")
        page = tmp_path / "one" / "report.html"
    browser.open(page)
    shown = rate_of(neurolab.open_run(page.parent)).legible()
    x, y = browser(
        "const [t] = document.getElementById('rate')._fullData; return [[...t.x], [...t.y]]"
    )
    assert x == pytest.approx(shown.edges.tolist())
    assert y == pytest.approx([*shown.hz.tolist(), float(shown.hz[-1])], rel=1e-6)
    told = {"1/ISI": "1/ISI"}.get(shown.said, f"bins of {shown.said.removesuffix(' bins')}")
    assert told in browser.find(".plots .row .hint").text


def test_the_last_volley_and_the_ticks_of_spikes(outputs, browser, tmp_path):
    """Spikes of the last step are inside of the raster; ticks of spikes are beside no voltage."""
    regular = ["neuron=lif", "input=constant", "input.amplitude=1.5rheobase", "record=full"]
    neurolab.run(["size=5", "duration=300ms", KEEP, *regular], tmp_path / "long")
    last = neurolab.open_run(tmp_path / "long").spikes["time"].values[-1]
    run = neurolab.run(["size=5", f"duration={last:.1f}ms", KEEP, *regular], tmp_path / "run")
    assert run.spikes["time"].values[-1] == pytest.approx(run.duration_ms)
    browser.open(tmp_path / "run" / "report.html")
    at_the_end = INK.replace(
        "getImageData(0, 0, canvas.width", "getImageData(canvas.width - 1, 0, 1"
    )
    assert browser(at_the_end) > 20
    figure = "document.getElementById('traces')"
    axes = browser(
        f"return {figure}._fullData.filter(t => t.hoverinfo === 'skip').map(t => t.yaxis)"
    )
    panels = len({str(name) for name in run.traces})
    assert set(axes) == {f"y{panels + 1}"}
    assert browser(f"return {figure}._fullLayout.yaxis{panels + 1}.visible") is False
    assert browser.errors() == []


def test_the_mouse_names_a_spike(outputs, browser):
    """The one under it; none where there is none."""
    browser.open(outputs / RUN)
    spikes = neurolab.open_run((outputs / RUN).parent).spikes
    time, neuron = (spikes[name].values[spikes.sizes["spike"] // 2] for name in ("time", "neuron"))
    place = "const { xaxis, yaxis, _size: s } = document.getElementById('raster')._fullLayout;"
    place += "return [xaxis.l2p(arguments[0]) / s.w, yaxis.l2p(arguments[1]) / s.h]"
    at = browser(place, float(time), int(neuron))
    browser.hover("#raster .nsewdrag", at)
    told = browser.wait(
        "const tip = document.querySelector('#raster .tip'); return tip.textContent"
    )
    assert told == f"neuron {neuron}, {time:g} ms"
    assert browser.errors() == []


def test_only_what_differs_is_shown_when_asked(outputs, browser):
    browser.open(outputs / RUN)
    whole = len(browser.texts(".configuration tr"))
    browser.find("#only").click()
    kept = browser.texts(".configuration tr")
    assert 0 < len(kept) < whole
    assert any("5mA" in row and "default: 1 mA" in row for row in kept)


def test_the_table_filters_and_sorts(outputs, browser):
    """Texts, comparisons, and what is wrong with them; headings sort and say so."""
    browser.open(outputs / SWEEP)
    told = lambda: browser.find("#filter-told").text  # noqa: E731
    assert told() == "84 points"
    browser.type("#filter", "rate=10 tau>=15")
    assert told() == "2 of 84 points"
    browser.type("#filter", "neuron.tau<7 seed=1")
    assert told() == "12 of 84 points"
    browser.type("#filter", "diverged")
    assert told() == "0 of 84 points"
    browser.type("#filter", "tauu>3")
    assert "no column tauu" in told()
    assert browser.find("#filter").get_attribute("aria-invalid") == "true"
    browser.type("#filter", " ")
    column = browser.texts(".points th").index("rate_hz Hz")
    heading = browser("return document.querySelectorAll('.points th button')[arguments[0]]", column)
    values = f".points tbody tr:not(.space) td:nth-child({column + 1})"
    for way, sign in (("ascending", 1), ("descending", -1)):
        heading.click()
        sorts = browser("return [...document.querySelectorAll('.points th')].map(e => e.ariaSort)")
        assert sorts[column] == way
        rates = [sign * float(text.replace(",", "")) for text in browser.texts(values)]
        assert rates == sorted(rates)
    assert browser.errors() == []


def test_the_heatmap_changes_with_what_is_chosen(outputs, browser):
    """Another value, fixed keys, lines in place of cells."""
    browser.open(outputs / SWEEP)
    browser.choose("#y", "input.rate (Hz)")
    z = "return JSON.stringify(document.getElementById('plot')._fullData[0].z)"
    assert browser("return document.getElementById('plot')._fullData[0].type") == "heatmap"
    rates = browser(z)
    browser.choose("#value", "isi_cv")
    assert browser(z) != rates
    browser.choose("#value", "rate_hz")
    assert browser(z) == rates
    browser.choose("#fixed select", "1")
    assert browser(z) != rates
    browser.choose("#y", "the value (lines)")
    kinds = browser("return document.getElementById('plot')._fullData.map(t => t.type)")
    assert set(kinds) == {"scatter"}
    browser.choose("#colour", "input.rate (Hz)")
    browser.choose("#x", "neuron.tau (ms)")
    assert browser("return document.getElementById('plot')._fullData.length") == 6
    assert browser.errors() == []


def test_a_click_shows_a_point_with_its_parameters_and_run(outputs, browser):
    """From the picture, and from the table; Escape closes it."""
    browser.open(outputs / SWEEP)
    assert not browser.find("#drawer").is_displayed()
    browser.choose("#y", "input.rate (Hz)")
    browser.choose("#fixed select", "1")
    browser.click(PLOT, (0.07, 0.92))  # the cell at the lower left
    browser.wait("return !document.getElementById('drawer').hidden")
    told = browser.find("#drawer").text
    assert "Point 1\n" in told
    assert "input.rate 10 Hz" in told
    assert "neuron.tau 5 ms" in told
    assert "seed 1" in told
    assert "python -m neurolab " in told
    browser.type("#filter", "rate=40 tau=5")
    browser("document.querySelector('.points tbody tr:not(.space)').click()")
    told = browser.find("#drawer").text
    assert "input.rate 40 Hz" in told
    assert re.search(r"spike_count ([\d,]+)", told)[1] == re.search(r"([\d,]+) spikes", told)[1]
    assert browser(INK.replace("#raster", "#point-raster")) > 50
    browser.find("#drawer").send_keys("\ue00c")
    assert not browser.find("#drawer").is_displayed()
    assert browser.errors() == []


def test_a_sweep_is_read_with_the_keyboard(outputs, browser):
    """Headings sort, arrows go from point to point, Enter opens one, Escape leads back to it; what
    has the focus is made anew at each of these, and has it again, where it can be seen."""
    focus = "const e = document.activeElement; return e.getAttribute('aria-label') || e.textContent"
    tab, enter, escape, up, down = "\ue004", "\ue007", "\ue00c", "\ue013", "\ue015"
    for theme in ("light", "dark"):
        browser.open(outputs / SWEEP, theme)
        browser.find("#filter").click()
        browser.press(tab)
        assert browser(focus) == "points"
        browser.press(tab, enter)  # the first heading: descending
        assert browser("return document.querySelector('th').ariaSort") == "descending"
        browser("document.querySelector('.view').focus()")
        browser.press(down, down, down, up)
        first, second = browser(
            "return [...document.querySelectorAll('tr[data-point]')].map(r => r.dataset.point)"
        )[:2]
        assert browser(focus) == f"point {second}"
        marked = browser("return document.querySelector('tr[aria-current=true]').dataset.point")
        assert marked == second
        style = "return getComputedStyle(document.activeElement)[arguments[0]]"
        assert [browser(style, f"outline{name}") for name in ("Style", "Width")] == ["solid", "2px"]
        browser.press(enter)
        assert browser("return document.activeElement.id") == "drawer"
        browser.press(tab, tab, enter)  # past the pin: the point before
        assert browser(focus) == "the point before in the table"
        assert f"Point {first}\n" in browser.find("#drawer").text
        browser.press(escape)
        assert not browser.find("#drawer").is_displayed()
        assert browser(focus) == f"point {first}"
        assert browser.errors() == []


def test_points_that_went_wrong_are_marked(outputs, browser):
    browser.open(outputs / "mishaps" / "report.html")
    names = browser("return document.getElementById('plot')._fullData.map(t => t.name)")
    assert {"1 diverged", "2 refused"} <= set(names)
    browser("document.querySelector('tr[data-point=\"2\"]').click()")
    assert "neuron.V_reset = 20 mV" in browser.find("#drawer .message").text
    assert "Nothing was recorded" in browser.find("#drawer").text
    assert browser.errors() == []


def test_a_point_is_shown_for_as_long_as_it_was_simulated(browser, tmp_path):
    """One that diverged after a few milliseconds is not a mostly silent one."""
    bad = ("neuron=lif", "integrator=euler", "input=constant", "neuron.tau=5ms,0.02ms")
    sweep = neurolab.run_sweep(["size=10", "duration=100ms", KEEP, *bad], tmp_path / "sweep")
    row = sweep.rows[1]
    assert row["status"] == "diverged" and 0 < row["duration_ms"] < 50 and row["spike_count"]
    page = tmp_path / "sweep" / "report.html"
    browser.open(page)
    click = "document.querySelector('tr[data-point=\"1\"]').click()"
    browser(click)
    shown = "return document.getElementById('point-raster')?._fullLayout?.xaxis?.range?.map(Number)"
    assert browser.wait(shown) == pytest.approx([0, row["duration_ms"]])
    # One clicked while the plotting library is being read is drawn when it is there.
    text, library = page.read_text(), '<script src="'
    assert text.count(library) == 1
    page.write_text(text.replace(library, f"<script>{click}</script>{library}"))
    browser.open(page)
    assert browser.wait(shown) == pytest.approx([0, row["duration_ms"]])
    assert browser.errors() == []


def test_a_point_whose_spikes_are_not_shown_is_not_said_to_have_none(browser, tmp_path):
    """Only neuron 60 fires, and the picture has the first 50."""
    drive = "[" + ",".join("300pA" if k == 60 else "0pA" for k in range(61)) + "]"
    cell = ("neuron=lif", "neuron.R=100Mohm", "neuron.V_th=20mV", "input=constant")
    typed = ("size=61", "duration=100ms", KEEP, *cell, "neuron.tau=10ms,20ms")
    sweep = neurolab.run_sweep([*typed, f"input.amplitude={drive}"], tmp_path / "sweep")
    assert sweep.rows[0]["spike_count"] > 0
    browser.open(tmp_path / "sweep" / "report.html")
    browser("document.querySelector('tr[data-point=\"0\"]').click()")
    told = browser.wait("return document.querySelector('#drawer .hint')?.innerText")
    assert told == "No spikes of the first 50 neurons."
    assert browser.errors() == []


def test_the_index_filters_and_compares(outputs, browser):
    """Two runs side by side: their pictures, and the keys that differ."""
    browser.open(outputs / "index.html")
    assert len(browser.texts(".entry")) == 5
    browser.type("#filter", "tau=12ms")
    assert browser.find("#told").text == "1 of 5"
    browser.type("#filter", " ")
    browser.choose("#status", "running or killed")
    assert len(browser.texts(".entry")) == 1
    browser.choose("#status", "any status")
    browser.choose("#kind", "runs")
    for name in ("12-00-00-run", "12-30-00-other"):
        entries = "[...document.querySelectorAll('.entry')]"
        pick = f"return {entries}.find(e => e.innerText.includes(arguments[0]))"
        browser(pick, name).find_element("css selector", "input").click()
    browser.find("#compare").click()
    lines = [line.split("\t") for line in browser.texts("#differences tbody tr")]
    differs = {key: sorted(values) for key, *values in lines}
    assert differs["seed"] == ["0", "3"]
    assert differs["neuron.tau"] == ["10 ms", "12ms"]
    assert "size" not in differs
    pictures = "[...document.querySelectorAll('.sides img')]"
    browser.wait(f"return {pictures}.filter(i => i.naturalWidth).length === 2")
    browser.find("#all-keys").click()
    assert len(browser.texts("#differences tbody tr")) > len(lines)
    browser.find("dialog button").click()
    assert browser.errors() == []


def test_the_index_is_a_table_too(tmp_path, browser):
    """Columns of summaries and of the keys that differ; sorted by one, filtered by another."""
    typed = ["neuron=lif", "size=2", "duration=100ms", "input=constant", KEEP]
    for k, (tau, amplitude) in enumerate(((5, 3), (12, 2), (8, 4))):
        given = [f"neuron.tau={tau}ms", f"input.amplitude={amplitude}mA", "record.summary=[V_mean]"]
        neurolab.run([*typed, *given], tmp_path / f"run-{k}")
    write_index(tmp_path)
    browser.open(tmp_path / "index.html")
    browser.choose("#view", "table")
    head = browser.texts("#runs th")
    assert {"neuron.tau ms", "input.amplitude mA", "rate_hz_mean", "V_mean"} <= set(head)
    assert "size" not in head and not any("_target_" in text for text in head)
    column = "const [at] = arguments; return [...document.querySelectorAll('#runs tbody tr')]"
    column += ".map((tr) => tr.cells[at].innerText)"
    at = head.index("neuron.tau ms")
    browser(f"document.querySelectorAll('#runs th button')[{at - 1}].click()")
    assert browser(column, at) == ["5", "8", "12"]
    browser(f"document.querySelectorAll('#runs th button')[{at - 1}].click()")
    assert browser(column, at) == ["12", "8", "5"]
    browser.type("#filter", "amplitude>=3mA tau<8")
    assert (len(browser(column, 1)), browser.find("#told").text) == (1, "1 of 3")
    assert "neuron.tau ms" not in browser.texts("#runs th")  # of one run nothing differs
    browser.type("#filter", "tau=5s")
    assert browser.find("#told").text == "neuron.tau is in ms, not in s."
    browser.type("#filter", " ")
    for box in browser.driver.find_elements("css selector", "#runs input"):
        box.click()
    browser.find("#compare").click()
    differs = [line.split("\t")[0] for line in browser.texts("#differences tbody tr")]
    assert {"neuron.tau", "input.amplitude"} <= set(differs)
    assert browser("return document.querySelectorAll('.sides figure').length") == 3
    assert browser.errors() == []


def test_text_of_a_user_is_shown_as_text(outputs, browser):
    """Markup in overrides makes no elements."""
    from pages import HOSTILE

    for name in ("killed/report.html", "index.html"):
        browser.open(outputs / name)
        assert any(HOSTILE in text for text in browser.texts(".chips code"))
        assert browser("return document.querySelectorAll('img[src=x]').length") == 0


@pytest.mark.parametrize("name", [RUN, SWEEP])
def test_a_page_without_its_library_says_so(outputs, browser, tmp_path, name):
    """What is missing and the command that makes the page whole; tables work, nothing is thrown."""
    shutil.copy(outputs / name, tmp_path / "report.html")
    browser.open(tmp_path / "report.html")
    assert "python -m neurolab.report" in browser.find(".notice").text
    assert "--standalone" in browser.find(".notice").text
    assert all("ERR_FILE_NOT_FOUND" in error for error in browser.errors())
    if name == SWEEP:
        browser("document.querySelector('tr[data-point=\"3\"]').click()")
        assert "Point 3" in browser.find("#drawer").text
        assert browser.errors() == []


def test_a_standalone_page_works_anywhere(outputs, browser, tmp_path):
    """Alone in another folder it draws, and asks for no other file."""
    shutil.copytree((outputs / RUN).parent, tmp_path / "run")
    page = write_report(tmp_path / "run", standalone=True)
    (tmp_path / "elsewhere").mkdir()
    browser.open(page.rename(tmp_path / "elsewhere" / "sent.html"))
    assert browser(INK) > 100
    assert browser.errors() == []
    sources = browser("return performance.getEntriesByType('resource').map(e => e.name)")
    assert all(source.startswith(("data:", "blob:")) for source in sources)


def test_what_was_given_is_below_the_spikes(tmp_path, browser):
    """The current as it was, the time in which it is there behind all figures, thresholds on V."""
    typed = ["neuron=lif", "size=3", "input=step", "input.start=20ms", "input.stop=60ms", KEEP]
    run = neurolab.run([*typed, "input.amplitude=1.5mA", "duration=100ms"], tmp_path / "run")
    browser.open(run.path / "report.html")
    line = "const [{ x, y }] = document.getElementById('stimulus').data; return [[...x], [...y]]"
    assert browser(line) == [[0, 20, 20, 60, 60, 100], [0, 0, 1.5, 1.5, 0, 0]]
    shapes = "return document.getElementById(arguments[0]).layout.shapes.map("
    shapes += "({ type, x0, x1, y0 }) => [type, x0, x1, y0])"
    for name in ("raster", "rate", "stimulus", "traces"):
        assert ["rect", 20, 60, 0] in browser(shapes, name)
    levels = [y0 for kind, _, _, y0 in browser(shapes, "traces") if kind == "line"]
    assert levels == [1, 0]  # V_th; V_reset and V_rest
    names = "return document.getElementById('traces').layout.annotations.map((one) => one.text)"
    assert browser(names) == ["V<sub>th</sub>", "V<sub>reset</sub><br>V<sub>rest</sub>"]
    browser.find("button[aria-label='zoom in']").click()
    assert browser(RANGE, "stimulus", "xaxis") == browser(RANGE, "raster", "xaxis") == [25, 75]
    assert browser.errors() == []
