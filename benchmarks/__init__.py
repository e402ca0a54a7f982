"""How fast neurolab is beside its peers: ``python -m benchmarks``; see README.md."""
