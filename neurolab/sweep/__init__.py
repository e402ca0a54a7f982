"""Sweeps: many points of one configuration, those of one structure as one compiled program."""
