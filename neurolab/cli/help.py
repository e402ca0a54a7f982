"""The text of ``--help``: groups and options, a line each, read from the YAML files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap

from neurolab.cli.conf import conf_folder, user_folder

__all__ = ["help_text"]

_HEAD = """\
neurolab: simulate a population of neurons and leave a complete run folder.

  python -m neurolab neuron=adexif_ref input=poisson             choose options
  python -m neurolab neuron=naud2008/tonic input=constant        a cell of a paper, in its folder
  python -m neurolab neuron=lif neuron.tau=12ms duration=2s      override values, with units
  python -m neurolab neuron.tau=[normal,10ms,1ms]                a distribution over the neurons
  python -m neurolab +input@inputs.noise=ou                      one more input
  python -m neurolab +synapse@receptors.gaba=gaba_a              one more receptor, of inputs that
                                                                 name it: input.receptor=gaba
  python -m neurolab -m neuron.b=linspace:0mA:20mA:50            a sweep: all points as one program
  python -m neurolab --cfg job                                   print the configuration only
  python -m neurolab resume=FOLDER [duration=20s]                go on with a run or a sweep; with
                                                                 seed=range:20, a larger sweep
  python -m neurolab reproduce=FOLDER                            compute it again, and compare
  python -m neurolab verify=FOLDER                               read every file of it
"""

_TAIL = """\
Values: size, duration, dt, seed, and everything that --cfg job prints.
Your own options go into ./conf, your own models by dotted path: neuron._target_=mypkg.MyNeuron.
Sweeps (-m): a,b,c  linspace:from:to:n  logspace:from:to:n  range:from:to:step  zip:a:b:c
random:low:high:n  sobol:low:high:n; resume=FOLDER computes what is missing.
Hydra: --info tells how a configuration came to be, --hydra-help lists the rest."""


def help_text() -> str:
    """Groups and options of the built-in configuration and of ``./conf``."""
    groups: dict[str, dict[str, str]] = {}
    for folder in dict.fromkeys((conf_folder(), user_folder())):
        for file in sorted(folder.rglob("*.yaml")):
            group = file.parent.relative_to(folder).as_posix()
            if group != "." and not group.startswith("hydra"):
                groups.setdefault(group, {})[file.stem] = _first_comment(file)
    lines = [_HEAD]
    for group, options in sorted(groups.items()):
        within, _, name = group.rpartition("/")
        if any(f"- {name}: " in file.read_text() for file in _options(within)) or not within:
            lines.append(f"{group}=")
            width = max(18, *map(len, options))
            lines += [f"  {name:<{width}} {text}" for name, text in options.items()]
        else:  # a folder of options of the group
            lines += wrap(
                ", ".join(options),
                98,
                initial_indent=f"  {name + '/...':<18} ",
                subsequent_indent=21 * " ",
            )
    return "\n".join([*lines, "", _TAIL])


def _options(group: str) -> Iterator[Path]:
    for folder in (conf_folder(), user_folder()):
        yield from (folder / group).glob("*.yaml")


def _first_comment(file: Path) -> str:
    lines = file.read_text().splitlines()
    comments = (line for line in lines if line.startswith("#") and "@package" not in line)
    return next(comments, "#")[1:].strip()
