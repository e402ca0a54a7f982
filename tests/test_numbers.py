"""Pictures and pages write a number alike."""

from __future__ import annotations

import re

import numpy as np
import pytest

from neurolab.numbers import number
from neurolab.report.page import _ASSETS

pytest_plugins = ["browser"]

#: Of all sizes, whole, halves of a last digit, and nearly the next power of ten.
VALUES = [
    0.0, -0.0, 1.0, -3.0, 999.0, 1000.0, 123456.0, 1e6, 12345678.0, 1e15, 2e15, 0.5, 2.5, 0.125,
    0.0625, 1234.5, -1234.5, 21.4567, 999.96, 9999.6, 999999.9, 1e-4, 9.9999e-5, 1.5e-5, -2.25e-9,
    5e-7,
    1e6 + 0.5, 1.2345e9 + 0.25, 4.263e-14, 0.408163265306, 1 / 3, 1e300, 1e-300, 100.04, 0.1 + 0.2,
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 4, "–"), (float("nan"), 4, "–"), (float("inf"), 4, "∞"), (1000, 4, "1,000"),
        (1234.5, 3, "1,230"), (-98765.4, 6, "-98,765.4"),
        (0.000123456, 3, "0.000123"), (1.5e-5, 4, "1.5e-5"),
        (0.0625, 2, "0.063"), (1234567.5, 3, "1.23e+6"), (-0.0, 4, "0"), (21.4567, 3, "21.5"),
    ],
)  # fmt: skip
def test_a_number_is_what_one_reads(value, digits, text):
    assert number(value, digits) == text


def test_pages_write_the_same(browser, tmp_path):
    """To the last letter, of any size and so many digits."""
    script = (_ASSETS / "common.js").read_text()
    grouped = re.search(r"^const GROUPED.*$", script, re.MULTILINE)[0]
    function = re.search(r"^function number\(.*?^}$", script, re.MULTILINE | re.DOTALL)[0]
    drawn = np.random.default_rng(1)
    values = [*VALUES, *(10.0 ** drawn.uniform(-12, 12, 300) * drawn.choice([-1, 1], 300)).tolist()]
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><title>numbers</title>")
    browser.open(page)
    for digits in (2, 3, 4, 6):
        run = f"{grouped}\n{function}\nreturn {values}.map((one) => number(one, {digits}));"
        assert browser(run) == [number(value, digits) for value in values]
