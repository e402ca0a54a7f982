"""Reading what W&B wrote: its own command, no server."""

from __future__ import annotations

import json
import subprocess
import sys


def inspect(path, *options):
    """The records of a W&B run, or with ``--summary`` what they come to."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", *options, str(path)]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    return json.loads(text) if options else [json.loads(line) for line in text.splitlines()]


def logs(folder):
    return sorted((folder / "wandb").glob("offline-run-*/run-*.wandb"))
