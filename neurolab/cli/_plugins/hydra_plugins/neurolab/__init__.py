"""What Hydra finds as plugins: it looks for them in modules named ``hydra_plugins`` only."""

from neurolab.cli.launcher import PointSweeper, SweepLauncher


class BatchLauncher(SweepLauncher):
    """``hydra/launcher=batch``."""


class Points(PointSweeper):
    """``hydra/sweeper=points``."""
