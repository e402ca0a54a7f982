"""Command lines at random, right and wrong: of the options and keys that conf/ has, so that a new
option is among them by itself.  They are small: a few neurons for a few milliseconds."""

from __future__ import annotations

import re
from functools import cache
from random import Random

from hypothesis import strategies as st
from omegaconf import OmegaConf

from neurolab.cli.compose import compose_config, conf_folder
from neurolab.problems import ConfigError
from neurolab.results.plan import flat

__all__ = ["command_lines", "known_keys"]


def _words(text: str) -> list[str]:
    return text.split()


#: What is small enough where nothing else is typed; of networks in every population.
SIZE, DURATION = 4, "2 ms"
#: Groups whose options say where and by what is computed, or are whole studies.
_APART = {"device", "tracker", "experiment", "network", "connectivity"}
#: Options of Hydra's own groups.
_OF_HYDRA = _words(
    r"""
    hydra/launcher=basic hydra/launcher=batch hydra/sweeper=basic hydra/job_logging=none
    hydra/job_logging=disabled hydra/job_logging=stdout hydra/hydra_logging=none
    hydra/output=default hydra/env=default hydra/launcher=nope
    """
)


def _options() -> dict[str, list[str]]:
    """The options of every group, those in folders of it too."""
    found: dict[str, list[str]] = {}
    for file in sorted(conf_folder().rglob("*.yaml")):
        *folders, name = file.relative_to(conf_folder()).with_suffix("").parts
        for depth in range(1, len(folders) + 1):
            group, option = "/".join(folders[:depth]), "/".join([*folders[depth:], name])
            found.setdefault(group, []).append(option)
    return {group: names for group, names in found.items() if not group.startswith("hydra")}


OPTIONS = _options()
#: Groups that a configuration has by itself, and those of cells and drives of papers.
USUAL = ("neuron", "synapse", "input", "integrator", "record", "synapse/output", "input/rates")
#: Networks of two populations or so, which take a second.
_SMALL = [name for name in OPTIONS["network"] if "microcircuit" not in name]
GROUPS = (*USUAL, *sorted(set(OPTIONS) - {*_APART, *USUAL}))


@cache
def known_keys(options: tuple[str, ...]) -> dict[str, str]:
    """The keys of a configuration with these options, each with its value as it would be typed."""
    try:
        config = compose_config(options)
    except ConfigError:
        return known_keys(()) if options else {}
    plain = OmegaConf.to_container(config)
    return {key: _typed(value) for key, value in flat(plain) if not key.startswith("hydra.")}


@cache
def _hydras() -> dict[str, str]:
    """The keys of Hydra's own part."""
    found = flat(OmegaConf.to_container(compose_config([]).hydra), "hydra")
    return {key: _typed(value) for key, value in found if ".runtime." not in key}


@cache
def _groups_of(keys: tuple[str, ...]) -> list[str]:
    """The mappings that keys stand in."""
    above = (key.split(".")[:depth] for key in keys for depth in range(1, key.count(".") + 1))
    return sorted({".".join(names) for names in above})


def _typed(value: object) -> str:
    """A value as it would be typed."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{','.join(map(_typed, value))}]"
    text = str(value)
    return text if re.fullmatch(r"[\w.+*/ -]+", text) or "${" in text else f"'{text}'"


NUMBERS = _words(
    r"""
    0 1 2 7 -1 -0.0 0.5 1.5 1e3 1e9 1e38 -1e38 1e39 1e400 1e-9 1e-40 1e-400 nan inf -inf 007 1_000
    0x10 1e 1. .5 +5 5, 5.5.5 4294967295 4294967296 2147483648 99999999999999999999
    """
)
UNITS = _words(
    r"""
    ms s us mV V mA nA pA nS uS kHz Hz 1/ms pF Mohm mV/ms ms*ms % parsec rheobase rheobase*ms mA*ms
    MiB h µs mV^2
    """
)
WORDS = _words(
    r"""
    null true false none all potential auto soft hard yes ??? V w file normal ReluGrad excitatory 0
    E_E τ 5µs 🧠 a=b a:b @ # % ~ $ $x ${ } [ { ( ) ' " \ .. a.b x/y * , ,, = - -- +5 _target_
    __class__ hydra
    """
)
TEXTS = [
    *WORDS, "", "''", '""', "' '", "5 5 ms", "5 ms*", "(1+2)ms", "5\nms", "a\tb", "\x00", "1 ms,",
]  # fmt: skip
LISTS = _words(
    r"""
    [] [1] [1,2] [0,0] [-1] [1,2,3,4] [1ms,2ms,3ms,4ms] [1mV,2mV,3mV,4mV] [null] [nan] [[1]] [1,a]
    [V] [V,V] [all] [normal,10ms,1ms] [normal,0,0] [normal,nan,inf] [normal,1mV,1e38mV]
    [uniform,1ms,2s] [uniform,2mV,1mV] [uniform,1ms] [lognormal,1,1] [normul,1,2]
    [truncated_normal,1ms,1ms,0ms,9ms] [truncated_normal,0,0,0,0] [file,1nS] [[],[]]
    [exponential,1nS] {} {a:1} {a:{b:c}} {1:2} {_target_:neurolab.neurons.LIF} {_target_:os.system}
    {_target_:canary.Cell} {_target_:neurolab.inputs.Constant,amplitude:1mA} {tau:5ms}
    """
)
REFERENCES = _words(
    r"""
    ${size} ${dt} ${neuron.tau} ${neuron} ${input} ${nothing} ${oc.env:HOME} ${oc.env:NO_SUCH}
    ${calc:'1+1'} ${calc:'${size}*1ms'} ${calc:'1/0'} ${calc:'9**9**9'} ${calc:'__import__("os")'}
    ${hydra:job.name} ${..tau} ${.V_th} ${populations.E.neuron} ${now:%Y} ${oc.decode:'{a:1}'}
    ${oc.create:[1]} ${oc.dict.keys:neuron} ${vars.x} ${${size}} ${oc.select:nope,5ms}
    ${unknown:1}ms ${size}ms
    """
)
CODE = _words(
    r"""
    subprocess.Popen os.system builtins.exec canary.Cell canary neurolab.neurons.LIF
    neurolab.neurons.AdExIF neurolab.neurons.Nope neurolab.inputs.Constant neurolab.inputs.Poisson
    neurolab.synapses.Expon neurolab.__main__.main neurolab.integrators.RK4
    neurolab.trackers.NoTracker neurolab.connectivity.AllToAll neurolab.synapses.Conductance nope.X
    . .. x antigravity.fly neurolab.engine.program.Program
    """
)
SWEEPS = _words(
    r"""
    1,2 1ms,2ms 1mV,2mV range(3) range:3 range(1,2,0) range:0:1:0.1 linspace:1ms:2ms:3 linspace:1:2
    logspace:1:9:3 logspace:-1:9:3 choice(1,2) choice() glob(*) interval(0,1) zip:1:2
    zip:1ms:2ms:3ms random:1ms:2ms:2 random:1ms:2ms:2:log sobol:1:2:2 shuffle(1,2) sort(3,1)
    linspace:1ms:2mV:3 linspace:nan:1:2 lif,adexif null,1ms 1,a linspce:1:2:3 random:2:1:3
    [1,2],[3,4] range(1e9) linspace:1:2:1e9 1,,2
    """
)

#: Marks of an override; most have none.
MARKS = [*[""] * 24, *["+"] * 3, *["++"] * 2, "~"]
FLAGS = [
    "--cfg job", "--cfg all", "--cfg hydra", "--cfg", "--resolve", "--cfg job --resolve", "--info",
    "--info all", "--help", "-h", "--hydra-help", "--package neuron", "--version", "--multirun",
    "--config-name nope", "--config-dir nope", "--config-path nope", "--nonsense", "-x", "--",
    "--cfg job -p neuron", "--run", "-s",
]  # fmt: skip
PLACES = _words(
    r"""
    inputs.b receptors.g populations.E.neuron populations.E.inputs.drive
    projections.E_E.connectivity neuron x _global_ populations.I.inputs.x populations.I.neuron
    """
)


def command_lines() -> st.SearchStrategy[list[str]]:
    """What is typed after ``neurolab``.

    Each is drawn from one seed: drawn decision by decision most are much like the one before.
    """
    return st.randoms(use_true_random=True).map(_command_line)


def _command_line(rng: Random) -> list[str]:
    chosen = _chosen(rng)
    keys, swept = known_keys(tuple(chosen)), rng.random() < 0.2
    small = _small(keys)
    edits = [_edit(rng, keys | small, swept) for _ in range(rng.choice([1, 1, 2, 3]))]
    edited = {re.split(r"[=,]", text.lstrip("+~"))[0] for text in edits}
    flags = rng.choice(FLAGS).split() if rng.random() < 0.05 else []
    usual = [f"{key}={value}" for key, value in small.items() if key not in edited]
    return [*usual, *chosen, *edits, *["-m"] * swept, *flags]


def _small(keys: dict[str, str]) -> dict[str, str]:
    """What makes a configuration small."""
    sizes = [key for key in keys if re.fullmatch(r"(populations\.\w+\.)?size", key)]
    found = {key: str(SIZE) for key in sizes if re.fullmatch(r"\d+", keys[key])}
    found |= {key: "0.0005" for key in keys if key == "network.scale"}
    return found | {"duration": DURATION}


def _chosen(rng: Random) -> list[str]:
    """Options that go together, or may not."""
    if rng.random() < 0.2:
        some = _SMALL if rng.random() < 0.95 else OPTIONS["network"]
        found = [f"network={rng.choice(some)}"]
    else:
        groups = rng.sample(GROUPS if rng.random() < 0.1 else USUAL, rng.randrange(3))
        found = [f"{group}={rng.choice(OPTIONS[group])}" for group in groups]
        if "synapse/output" in groups and "synapse" not in groups:
            found.append("synapse=expon")
        if "input/rates" in groups and "input" not in groups:
            found.append("input=poisson_rates")
    if rng.random() < 0.2:
        group = rng.choice([*USUAL, "connectivity"])
        mark, place = rng.choice(["+", "+", "", "++"]), rng.choice(PLACES)
        found.append(f"{mark}{group}@{place}={rng.choice(OPTIONS[group])}")
    if rng.random() < 0.05:
        group = rng.choice(sorted(_APART))
        found.append(f"{group}={rng.choice(OPTIONS[group])}")
    if rng.random() < 0.05:
        found.append(rng.choice(_OF_HYDRA))
    return found


def _edit(rng: Random, keys: dict[str, str], swept: bool) -> str:
    """An override of a key, or of one that there is not."""
    if rng.random() < 0.05:
        keys = _hydras()
    key = rng.choice(sorted(keys))
    value = _near(rng, keys[key]) if rng.random() < 0.75 else _any(rng)
    if rng.random() < (0.7 if swept else 0.03):
        pair = f"{_near(rng, keys[key])},{_near(rng, keys[key])}"
        value = pair if rng.random() < 0.5 else rng.choice(SWEEPS)
    if rng.random() < 0.08:
        key, value = rng.choice(_groups_of(tuple(keys))), _any(rng)
    elif rng.random() < 0.08:
        key = _mistaken(rng, key)
    mark = rng.choice(MARKS)
    return f"~{key}" if mark == "~" and rng.random() < 0.7 else f"{mark}{key}={value}"


def _near(rng: Random, value: str) -> str:
    """A value of the same kind: other numbers, some beyond all bounds, and the same units."""
    factor = rng.choice([0.5, 0.9, 1, 1.1, 2] if rng.random() < 0.7 else [0, 0.1, 10, -1])
    if rng.random() < 0.1:
        factor = rng.choice([1e30, -1e30, 1e-30, 1e37, 1e-37, 1e300, 1e-300])
    number = r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
    return re.sub(number, lambda match: f"{float(match[0]) * factor:.6g}", value)


def _any(rng: Random) -> str:
    """A value of any kind."""
    number = rng.choice([rng.choice(NUMBERS), f"{rng.uniform(-1e3, 1e3):.3g} "])
    character = chr(rng.choice([rng.randrange(128), rng.randrange(0xD800)]))
    return rng.choice(
        [f"{number}{rng.choice(UNITS)}"] * 3
        + [rng.choice(some) for some in (NUMBERS, TEXTS, LISTS, REFERENCES, CODE)]
        + [f"{rng.choice(TEXTS)}{character}"]
    )


def _mistaken(rng: Random, key: str) -> str:
    """A key with a mistake in it."""
    at, (above, _, last) = rng.randrange(len(key)), key.rpartition(".")
    return rng.choice(
        [
            key[:at] + key[at + 1 :],
            key[:at] + rng.choice([*".@/ ~+τ-", ".."]) + key[at:],
            key.upper(),
            above,
            f"{key}.x",
            f"{above}.{rng.choice(['_target_', 'x', 'tau', 'weight'])}",
            last,
            rng.choice(TEXTS),
        ]
    )
