"""A composed configuration, checked and split into a structure and numbers."""
