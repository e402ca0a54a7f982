"""Trajectories of all models, computed by an independent package; see README.md."""
