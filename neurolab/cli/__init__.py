"""The command line and Hydra: the only room that knows it."""
