"""Contrast (WCAG 2.1) and colour blindness, by computation: of marks, letters, frames of pages."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

import neurolab.report
from neurolab.plots import colours
from neurolab.plots.colours import COLOURS, DARK, GREY, GROUNDS, INK, contrast, legible, palettes

CSS = (Path(neurolab.report.__file__).parent / "assets" / "common.css").read_text()
#: Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
CONES = {
    "all": np.eye(3),
    "no red": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "no green": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                 [-0.011820, 0.042940, 0.968881]],
    "no blue": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
#: Linear sRGB to XYZ (IEC 61966-2-1), and D65.
XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
       [0.0193339, 0.1191920, 0.9503041]]  # fmt: skip
WHITE = [0.95047, 1.0, 1.08883]


def theme(name: str) -> dict[str, str]:
    """The colours of a theme of pages, by name."""
    light, dark = CSS.split(':root[data-theme="dark"] {', 1)
    block = light if name == "light" else dark
    return dict(re.findall(r"--([\w-]+): (#\w{6})", block.split("}", 1)[0]))


def lab(colour: str, cones: str) -> np.ndarray:
    """CIELAB of a colour as it is seen."""
    rgb = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(CONES[cones]) @ linear, 0, 1)
    part = np.array(XYZ) @ seen / WHITE
    f = np.where(part > 0.008856, np.cbrt(part), 7.787 * part + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """CIEDE2000 (Sharma, Wu & Dalal 2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    a1, a2 = (a * (1.5 - 0.5 * np.sqrt(mean**7 / (mean**7 + 25.0**7))) for a in (a1, a2))
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    dl, dc, dh = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = (h1 + h2) / 2 if abs(h1 - h2) <= 180 else (h1 + h2 + 360) / 2 % 360
    hue = hue if c1 * c2 else h1 + h2
    terms = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    t = 1 + sum(w * np.cos(np.radians(n * hue + shift)) for w, n, shift in terms)
    sl = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    swing = 30 * np.exp(-(((hue - 275) / 25) ** 2))
    rt = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(2 * swing))
    return float(np.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dh / sh) ** 2 + rt * dc / sc * dh / sh))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.5, 0), (61, -5, 29), 22.8977),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_is_that_of_sharma(one, other, expected):
    """Of table 1 of Sharma, Wu & Dalal (2005)."""
    assert difference(one, other) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("cones", CONES)
@pytest.mark.parametrize("of", [COLOURS, DARK], ids=["light", "dark"])
def test_colours_are_told_apart(of, cones):
    least = 18 if cones == "all" else 10
    near = {
        pair: found
        for pair in itertools.combinations(of, 2)
        if (found := difference(*(lab(colour, cones) for colour in pair))) < least
    }
    assert not near


def test_marks_are_seen_and_letters_are_read():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)  # as WCAG's tools say
    for name, of in palettes().items():
        assert min(contrast(colour, GROUNDS[name]) for colour in of["marks"]) >= 3
        assert min(contrast(colour, GROUNDS[name]) for colour in of["letters"]) >= 4.5
    assert min(contrast(colour, GROUNDS["light"]) for colour in (INK, GREY)) >= 4.5
    assert legible(INK) == INK
    assert legible(colours.PALE) != colours.PALE


@pytest.mark.parametrize("name", ["light", "dark"])
def test_pages_are_read(name):
    """Letters on all that is under them; frames of what is typed into, axes."""
    of = theme(name)
    assert of["surface"].upper() == GROUNDS[name]
    grounds = [of[key] for key in ("page", "surface", "raised")]
    for ground in grounds:
        for letters in ("ink", "muted", "accent", "good", "warn", "bad", "odd", "idle"):
            assert contrast(of[letters], ground) >= 4.5, (letters, ground)
        assert contrast(of["axis"], ground) >= 3
    assert contrast(of["on-accent"], of["accent"]) >= 4.5
    assert contrast(of["ink"], of["tint"]) >= 4.5
    boxes = re.search(r'input\[type="search"\] \{[^}]*border: 1px solid var\(--(\w+)\)', CSS)
    assert boxes and boxes[1] == "axis"


def test_both_dark_themes_are_one():
    """That which is chosen, and that of the system."""
    blocks = re.findall(r"\{([^{}]*--page: #0e1216[^{}]*)\}", CSS)
    assert len(blocks) == 2
    assert blocks[0].split() == blocks[1].split()


def test_the_pictures_of_the_documents_have_them():
    """They are drawn by a command of their own, which no other test runs."""
    from docsite import figures

    assert {figures.BLUE, figures.GREEN} < set(COLOURS)
