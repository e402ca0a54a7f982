"""Pages lead to one another, keep what is shown in the address, and give it to paper and files."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from pages import data_of

from neurolab.plots.colours import COLOURS, DARK
from neurolab.report import write_report

pytest_plugins = ["browser"]

RUN, SWEEP = "2026-11-20/12-00-00-run/report.html", "2026-11-20/13-00-00-sweep/report.html"
RANGE = "return document.getElementById(arguments[0])._fullLayout.xaxis.range.map(Number)"
VALUE = "return document.getElementById(arguments[0]).value"
OPEN = """
const found = document.getElementById("plot").data.filter((one) => one.name === "open");
return found.map(({ x, y }) => [x[0], y[0]]);
"""
SAVED = """
const { data, layout } = document.getElementById(arguments[0]).asSaved();
return { ground: layout.paper_bgcolor, ink: layout.font.color, width: layout.width,
  line: data[0].line?.color, images: (layout.images || []).map((one) => one.source.slice(0, 22)),
  range: layout.xaxis.range };
"""


def test_pages_lead_to_one_another_and_to_files(outputs):
    page = outputs / RUN
    write_report(page.parent)  # once there is an index
    links = {one["text"]: one["href"] for one in data_of(page)["links"]}
    assert links["all runs"] == "../../index.html"
    assert {"raster.png", "traces.png", "summary.json", "config.yaml"} <= links.keys()
    assert all((page.parent / unquote(href)).exists() for href in links.values())
    links = {one["text"]: one["href"] for one in data_of(outputs / SWEEP)["links"]}
    assert {"sweep.csv", "rate_hz.png"} <= links.keys()


def test_the_address_of_a_sweep_says_what_is_shown(outputs, browser):
    browser.open(outputs / SWEEP)
    assert "#" not in browser("return location.href")
    browser.choose("#y", "the value (lines)")
    browser.choose("#x", "neuron.tau (ms)")
    browser.choose("#colour", "input.rate (Hz)")
    browser.choose("#value", "isi_cv")
    browser.type("#filter", "tau=5")
    browser("[...document.querySelectorAll('th button')].at(-1).click()")
    browser("document.querySelector('.points tbody tr:not(.space)').click()")
    shown = [browser(VALUE, name) for name in ("value", "x", "y", "colour", "filter")]
    told, point = browser.find("#filter-told").text, browser.find("#drawer").text.splitlines()[0]
    (ring,) = browser(OPEN)
    address = browser("return location.href")
    assert re.search("filter=tau%3D5", address)
    browser.driver.get("about:blank")
    browser.driver.get(address)
    browser.wait("return !document.getElementById('drawer').hidden")
    assert [browser(VALUE, name) for name in ("value", "x", "y", "colour", "filter")] == shown
    assert browser.find("#filter-told").text == told
    assert browser.find("#drawer").text.splitlines()[0] == point
    assert browser(OPEN) == [ring]
    browser.find("#drawer").send_keys("\ue00c")
    assert browser(OPEN) == []
    assert "point=" not in browser("return location.href")
    assert browser.errors() == []


def test_an_open_point_has_a_ring_where_it_is_drawn(outputs, browser):
    browser.open(outputs / SWEEP)
    browser.choose("#y", "input.rate (Hz)")
    browser.type("#filter", "rate=40 tau=5 seed=1")
    browser("document.querySelector('.points tbody tr:not(.space)').click()")
    assert browser(OPEN) == [[5, 40]]  # in a cell of means
    browser.choose("#fixed select", "0")
    assert browser(OPEN) == []  # of another seed than the picture
    browser.choose("#fixed select", "1")
    assert browser(OPEN) == [[5, 40]]
    assert browser.errors() == []


def test_the_address_of_a_run_says_what_time_is_shown(outputs, browser):
    page = outputs / RUN
    browser.driver.get(page.as_uri() + "#time=50-120")
    browser.wait("return document.readyState === 'complete'")
    assert [browser(RANGE, name) for name in ("raster", "rate", "traces")] == [[50, 120]] * 3
    browser("document.querySelector('button[aria-label=\"show all\"]').click()")
    assert "time" not in browser("return location.hash")
    browser("document.querySelector('button[aria-label=\"zoom in\"]').click()")
    assert browser("return location.hash") == "#time=75-225"
    assert browser.errors() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_figure_is_saved_on_white(outputs, browser, theme):
    browser.open(outputs / RUN, theme)
    inks = {"light": "#1a2027", "dark": "#e8ebee"}
    for name in ("raster", "rate", "traces", "isi"):
        found = browser(SAVED, name)
        assert (found["ground"], found["ink"]) == ("#ffffff", inks["light"])
        assert found["range"] == browser(RANGE, name)
        if name == "rate":
            assert found["line"] == COLOURS[0]
        assert found["images"] == (["data:image/png;base64,"] if name == "raster" else [])
    shown = browser("return document.getElementById('rate')._fullLayout.font.color")
    assert shown == inks[theme]
    line = browser("return document.getElementById('rate').data[0].line.color")
    assert line == (COLOURS if theme == "light" else DARK)[0]
    assert browser.errors() == []


def test_what_is_printed_is_light_and_as_wide_as_paper(outputs, browser):
    browser.open(outputs / RUN, "dark", 1600)
    width = "return document.getElementById(arguments[0])._fullLayout.width"
    before = [browser(width, name) for name in ("raster", "rate", "traces")]
    browser("dispatchEvent(new Event('beforeprint'))")
    main = browser("return document.getElementById('main').clientWidth")
    assert main <= 181 / 25.4 * 96
    for name in ("raster", "rate", "traces"):
        assert browser(width, name) <= main
        assert (
            browser(f"return document.getElementById('{name}')._fullLayout.font.color") == "#1a2027"
        )
    browser("dispatchEvent(new Event('afterprint'))")
    assert [browser(width, name) for name in ("raster", "rate", "traces")] == before
    assert browser("return document.documentElement.dataset.theme") is None
    assert browser.errors() == []
