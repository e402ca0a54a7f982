"""The colours of pictures and pages: distinct with any colour vision, and seen on their ground.

The first four on white are Okabe and Ito's (2008); those after them, and those on dark, were
searched for among many: each has a contrast of 3 : 1 with its ground (WCAG 2.1, 1.4.11), and any
two differ by 10 in CIEDE2000, also as seen without red, green or blue cones (Machado et al. 2009).
"""

from __future__ import annotations

__all__ = [
    "BLUE",
    "COLOURS",
    "DARK",
    "GREEN",
    "GREY",
    "GROUNDS",
    "INK",
    "PALE",
    "PURPLE",
    "SHADE",
    "VERMILLION",
    "contrast",
    "legible",
    "palettes",
]

BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
PALE = "#A9CCE3"
#: What is behind the time in which a stimulus is there.
SHADE = "#F0F0F0"
INK, GREY = "#222222", "#6F6F6F"

#: Of populations, neurons and categories, in their order.
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, "#A50F00", "#000F96", "#874B69", INK)
#: The same on a dark ground.
DARK = ("#93CEF9", "#DD2909", "#2CAB6E", "#EA8EB7", "#EACF99", "#E5F003", "#947AE6", "#E8EBEE")
#: What they are drawn on: pictures and light pages, dark ones (``--surface`` of common.css).
GROUNDS = {"light": "#FFFFFF", "dark": "#161B21"}
#: Contrast of letters (WCAG 2.1, 1.4.3, AA).
_LETTERS = 4.5


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21 (WCAG 2.1: of their relative luminances)."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def legible(colour: str, ground: str = GROUNDS["light"]) -> str:
    """A colour as letters have it: as far from that of the ground as it must be to be read."""
    towards = 0.0 if _luminance(ground) > 0.18 else 1.0
    for part in range(101):
        mixed = [(1 - part / 100) * value + part / 100 * towards for value in _parts(colour)]
        found = "#" + "".join(f"{round(255 * value):02X}" for value in mixed)
        if contrast(found, ground) >= _LETTERS:
            return found
    return found


def palettes() -> dict[str, dict[str, list[str]]]:
    """What pages need: colours of marks and of letters, by theme."""
    return {
        theme: {"marks": [*of], "letters": [legible(colour, GROUNDS[theme]) for colour in of]}
        for theme, of in (("light", COLOURS), ("dark", DARK))
    }


def _parts(colour: str) -> list[float]:
    return [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]


def _luminance(colour: str) -> float:
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in _parts(colour)]
    return sum(w * v for w, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
