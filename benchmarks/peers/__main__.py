"""``python -m benchmarks.peers``: rates beside those of Brian2 and NEST, in docs/peers.md.

The same spikes, from files, feed all three simulators.  Exit status 1 where a rate of neurolab at
its default dt is not within 0.5 % of both peers at a tenth of it.  It takes ten minutes.

Brian2 and NEST live in an environment of their own, which is made on first use in
benchmarks/.venv-peers from benchmarks/peers/requirements.txt; ``--python`` takes another that has
them.  Brian2 needs g++.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

import neurolab
from benchmarks.environment import ROOT, peers_python, versions
from benchmarks.peers.cells import CELLS, Cell, Receptor, trains

ALLOWED = 0.005
COARSE, FINE = 0.1, 0.01  # ms: neurolab's default dt, and that of the peers
SIZE, DURATION_MS = 100, 10_000.0
INTEGRATORS = ("exp_euler", "rk4")
PEERS = ("brian2", "nest")
#: What is computed, in the order of the page's columns; every row of it is a run of its own.
COLUMNS = (
    *((who, FINE) for who in (*PEERS, "exp_euler")),
    *((who, COARSE) for who in (*PEERS, *INTEGRATORS)),
)
PAGE = ROOT / "docs" / "peers.md"
HEAD = """# Rates beside Brian2 and NEST

Made by `python -m benchmarks.peers`, which makes an environment with Brian2 and NEST on first use
and ends with 1 if a rate misses. {size} neurons for {seconds:g} s; each has a spike train of its
own for each receptor, and the same trains, from files, feed all three simulators. Neurons,
synapses and drives are in `benchmarks/peers/cells.py`. Brian2 takes the fourth-order Runge-Kutta
method, NEST its adaptive or exact solvers, neurolab two of its integrators. Allowed for neurolab at
dt = {coarse} ms: {allowed:.1%} of both peers at {fine} ms. The differences are from the mean of the
two; what all make of the other dt stands beside. Rates in Hz.

{versions}
"""


@dataclass(frozen=True)
class Line:
    """The rates of one neuron under one drive, by who computed them and at which dt."""

    cell: str
    drive: str
    rates: dict[tuple[str, float], float]

    @property
    def reference(self) -> float:
        return float(np.mean([self.rates[peer, FINE] for peer in PEERS]))

    def difference(self, who: str, dt: float = COARSE) -> float:
        return self.rates[who, dt] / self.reference - 1


def main() -> int:
    """Compute the rates, show them, write the page; 1 if one misses."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--python", type=Path, help="an interpreter that has Brian2 and NEST")
    python = peers_python(parser.parse_args().python)
    logging.getLogger("neurolab").setLevel(logging.ERROR)
    console = Console(width=None if sys.stdout.isatty() else 140)
    lines, found = [], {}
    with console.status("") as status:
        for cell in CELLS:
            for drive, receptors in enumerate(cell.drives):
                status.update(f"{cell.title}, drive {drive + 1}")
                line, peers = compare(cell, drive, receptors, python)
                found |= peers
                lines.append(line)
                console.print(
                    f"{line.cell}, {line.drive}: {line.reference:.3f} Hz, "
                    + ", ".join(f"{name} {line.difference(name):+.2%}" for name in INTEGRATORS)
                )
    write(lines, found, PAGE)
    missing = [line for line in lines for who in INTEGRATORS if misses(line, who)]
    console.print(f"{PAGE.relative_to(ROOT)} is written; {len(missing)} rates miss")
    return 1 if missing else 0


def compare(
    cell: Cell, drive: int, receptors: Sequence[Receptor], python: Path
) -> tuple[Line, dict[str, str]]:
    """All rates of one neuron under one drive, and the versions of the peers."""
    rates: dict[tuple[str, float], float] = {}
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for key, table in trains(receptors, SIZE, DURATION_MS, COARSE, seed=drive).items():
            np.save(folder / f"{key}.npy", table)
        described = {"size": SIZE, "duration_ms": DURATION_MS, **cell.description(drive)}
        (folder / "cell.json").write_text(json.dumps(described))
        for who, dt in COLUMNS:
            if who in INTEGRATORS:
                rates[who, dt] = simulated(cell, receptors, folder, dt, who)
            else:
                told = _told(python, f"{who}_rates.py", folder, dt)
                rates[who, dt], found[who] = float(told["rate_hz"]), told["version"]
    drives = ", ".join(f"{receptor.name} {receptor.rate_hz:g} Hz" for receptor in receptors)
    return Line(cell.title, drives, rates), found


def _told(python: Path, program: str, folder: Path, dt: float) -> dict[str, str]:
    path = str(Path(__file__).with_name(program))
    done = subprocess.run([str(python), path, str(folder), str(dt)], capture_output=True, text=True)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise SystemExit(f"{program} at dt = {dt} ms ended with {done.returncode}:\n{tail}")
    told: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return told


def simulated(
    cell: Cell, receptors: Sequence[Receptor], folder: Path, dt: float, integrator: str
) -> float:
    """The rate that neurolab finds."""
    found = neurolab.run(
        [
            f"neuron={cell.neuron}", f"integrator={integrator}", f"size={SIZE}", f"dt={dt}ms",
            f"duration={DURATION_MS}ms", *parameters(cell), *synapses(receptors, folder),
            "record=summary",
        ],
        save=False,
    )  # fmt: skip
    return float(found.summary["rate_hz_mean"])


UNITS = {"R": "Mohm", "a": "nS", "b": "pA", "A1": "pA", "A2": "pA", "k1": "1/ms", "k2": "1/ms",
         "R1": "", "R2": ""}  # fmt: skip


def parameters(cell: Cell) -> list[str]:
    """A cell as neurolab is told of it: by resistance and time constant."""
    values = dict(cell.parameters)
    C, g_L = values.pop("C"), values.pop("g_L")
    values |= {"R": 1e3 / g_L, "tau": C / g_L, "V_initializer": values["V_rest"]}
    units = UNITS
    if cell.neuron == "gif":
        units = UNITS | {"a": "1/ms", "b": "1/ms"}
        values["V_th_initializer"] = values["V_th_inf"]
    written = []
    for key, value in values.items():
        unit = units.get(key, "mV" if key.startswith(("V", "delta")) else "ms")
        written.append(f"neuron.{key}={value} {unit}".rstrip())
    return [*written, "neuron.spk_reset=hard"]


def synapses(receptors: Sequence[Receptor], folder: Path) -> list[str]:
    """The receptors, the first of which is `synapse`, and the files of spikes that feed them."""
    typed = []
    for index, receptor in enumerate(receptors):
        name = receptor.name
        if index == 0:
            synapse, source, join = "synapse", "input", ("synapse=", "input=", "synapse/output")
        else:
            synapse, source = f"receptors.{name}", f"inputs.{name}"
            join = (f"+synapse@{synapse}=", f"+input@{source}=", f"synapse/output@{synapse}.output")
            typed.append(f"{source}.receptor={name}")
        output, unit = ("current", "pA") if receptor.E is None else ("conductance", "nS")
        typed += [
            f"{join[0]}{receptor.kind}", f"{join[2]}={output}", f"{synapse}.tau={receptor.tau}ms",
            f"{join[1]}spikes_from_file", f"{source}.file={folder / name}.npy",
            f"{source}.weight={receptor.weight}{unit}",
        ]  # fmt: skip
        if receptor.E is not None:
            typed.append(f"{synapse}.output.E={receptor.E}mV")
    return typed


def misses(line: Line, who: str) -> bool:
    """Whether a rate is further from either peer than is allowed."""
    near = (abs(line.rates[who, COARSE] / line.rates[peer, FINE] - 1) <= ALLOWED for peer in PEERS)
    return not all(near)


def write(lines: Sequence[Line], found: dict[str, str], path: Path) -> None:
    """The page: a table for each neuron."""
    known = versions()
    used = {"Brian2": found["brian2"], "NEST": found["nest"], "jax": known.get("jax", "")}
    head = HEAD.format(
        size=SIZE, seconds=DURATION_MS / 1e3, fine=FINE, coarse=COARSE, allowed=ALLOWED,
        versions=", ".join(f"{name} {version}" for name, version in used.items()) + ".",
    )  # fmt: skip
    text = [head]
    for title in dict.fromkeys(line.cell for line in lines):
        heads = [f"{who}, {dt:g} ms" for who, dt in COLUMNS]
        text += [f"## {title}\n", f"| drive | {' | '.join(heads)} | differences at 0.1 ms | |"]
        text.append("|---" * (len(COLUMNS) + 3) + "|")
        for line in (line for line in lines if line.cell == title):
            cells = [f"{line.rates[column]:.3f}" for column in COLUMNS]
            differences = "; ".join(f"{who} {line.difference(who):+.2%}" for who in INTEGRATORS)
            missing = [who for who in INTEGRATORS if misses(line, who)]
            verdict = f"**misses**: {', '.join(missing)}" if missing else ""
            text.append(f"| {line.drive} | {' | '.join(cells)} | {differences} | {verdict} |")
        text.append("")
    path.write_text("\n".join(text))


if __name__ == "__main__":
    sys.exit(main())
