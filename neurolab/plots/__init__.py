"""Pictures from results: those of a folder, and panels for figures of one's own."""

from neurolab.plots.style import paper, size_in

__all__ = ["paper", "size_in"]
