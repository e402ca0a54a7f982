"""Rates of neurolab beside those of Brian2 and NEST: ``python -m benchmarks.peers``."""
