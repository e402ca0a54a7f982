"""What theory says, beside what neurolab gives: ``python -m benchmarks.trust``."""
