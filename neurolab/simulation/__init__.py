"""One simulation of one or many points: computed, checked, written, chunk after chunk."""
