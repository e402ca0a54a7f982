"""Synapses from files: the same as drawn ones spike for spike, and what files may not be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from test_network import MIXED, RULES, SIZES, by_hand, computed, drawn_of, network, synapses_of

import neurolab
from neurolab.config.experiment import read_experiment
from neurolab.problems import ConfigError

RNG = np.random.default_rng(5)


def sonata(path: Path, **populations: dict) -> Path:
    """A file of edges: of each population source and target, and rows of what groups have."""
    with h5py.File(path, "w") as file:
        file.attrs["magic"] = np.uint32(0x0A7A)
        for name, columns in populations.items():
            edges = file.create_group(f"edges/{name}")
            n = len(columns["source"])
            for end in ("source", "target"):
                edges[f"{end}_node_id"] = np.asarray(columns[end], np.uint64)
                edges[f"{end}_node_id"].attrs["node_population"] = "cells"
            edges["edge_type_id"] = columns.get("type", np.full(n, 100))
            group = np.asarray(columns.get("group", np.zeros(n)), np.int64)
            edges["edge_group_id"] = group
            edges["edge_group_index"] = np.array(
                [np.sum(group[:k] == g) for k, g in enumerate(group)]
            )
            for g in np.unique(group):
                own = edges.create_group(str(g))
                for key in set(columns) & {"syn_weight", "delay", "nsyns"}:
                    own[key] = np.asarray(columns[key])[group == g]
    return path


def table(path: Path, **columns) -> Path:
    """Columns as .npz, .csv or .h5."""
    columns = {name: np.asarray(column) for name, column in columns.items()}
    if path.suffix == ".npz":
        np.savez(path, **columns)
    elif path.suffix == ".h5":
        names = {"weight": "syn_weight"}
        sonata(path, ours={names.get(name, name): v for name, v in columns.items()})
    else:
        rows = zip(*columns.values(), strict=True)
        text = "\n".join(",".join(map(repr, map(float, row))) for row in rows)
        path.write_text(f"# a table\n{','.join(columns)}\n{text}\n")
    return path


def from_file(given: dict, name: str, file: Path, **projection) -> None:
    """A projection of a configuration with the synapses of a file."""
    rule = "Sonata" if file.suffix == ".h5" else "Edges"
    given["projections"][name] |= {
        "connectivity": {"_target_": f"neurolab.connectivity.{rule}", "file": str(file)},
        **projection,
    }


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".h5"])
def test_the_synapses_of_a_rule_read_from_files_give_the_same_spikes(tmp_path, suffix):
    drawn = read_experiment(network(dict(RULES["poisson"]), MIXED, ["uniform", "1 mV", "5 mV"]))
    given = network(dict(RULES["poisson"]))
    for wiring in drawn.structure.projections:
        source, target, slot, weight = drawn_of(drawn.structure, wiring, drawn.numbers)
        columns = {"source": source, "target": target, "delay": (slot + wiring.delays[0]) * 0.1}
        own = {"delay": ["file", "1 ms"]}
        if weight is not None:
            columns["weight"], own["weight"] = weight, ["file", "1 mV"]
        short = wiring.name.rpartition(".")[2]
        from_file(given, short, table(tmp_path / f"{short}{suffix}", **columns), **own)
    experiment = read_experiment(given)
    assert experiment.structure.block == drawn.structure.block and not experiment.warnings
    fired = computed(experiment)
    assert fired.sum() > 100
    assert np.array_equal(fired, computed(drawn))


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_weights_and_delays_of_a_file_are_what_a_loop_makes_of_them(tmp_path, suffix):
    """Multiplied by what the projection says; delays to the nearest step, which is told."""
    given, n = network(dict(RULES["indegree"])), 300
    source, target = RNG.integers(0, SIZES["E"], n), RNG.integers(0, SIZES["I"], n)
    weight, delay = RNG.integers(1, 9, n) / 2, RNG.uniform(0.06, 2.0, n)
    file = table(tmp_path / f"e{suffix}", source=source, target=target, weight=weight, delay=delay)
    from_file(given, "E_I", file, weight=["file", "2 mV"], delay="file(2 ms)")
    experiment = read_experiment(given)
    (warning,) = experiment.warnings
    assert warning.key == "projections.E_I.delay" and "for 300 of 300 edges" in warning.advice
    steps = np.rint(2 * delay / 0.1).astype(int)
    assert experiment.structure.projections[1].delays == (steps.min(), steps.max())
    others = [one for one in synapses_of(experiment) if not one[0] < SIZES["E"] <= one[1]]
    own = zip(source, target + SIZES["E"], steps, 2 * weight, strict=True)
    expected = by_hand(experiment, [*others, *own])
    assert expected[:, SIZES["E"] :].sum() > 20
    assert np.array_equal(computed(experiment), expected)


def test_one_weight_and_delay_serve_for_all_and_what_is_not_used_is_told(tmp_path):
    given = network(dict(RULES["all_to_all"]))
    ends = {"pre": np.repeat(np.arange(61), 19), "post": np.tile(np.arange(19), 61)}
    from_file(given, "E_I", table(tmp_path / "e.npz", **ends))
    experiment = read_experiment(given)
    assert not experiment.warnings
    assert np.array_equal(
        computed(experiment), computed(read_experiment(network(dict(RULES["all_to_all"]))))
    )
    ones = {"weight": np.ones(1159), "delay": np.ones(1159)}
    from_file(given, "E_I", table(tmp_path / "w.npz", **ends, **ones))
    experiment = read_experiment(given)
    told = {one.key: one.advice for one in experiment.warnings}
    assert set(told) == {"projections.E_I.weight", "projections.E_I.delay"}
    assert "unused" in told["projections.E_I.weight"]


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".h5"])
def test_a_file_without_synapses_is_told(tmp_path, suffix):
    given = network(dict(RULES["indegree"]))
    from_file(given, "E_I", table(tmp_path / f"e{suffix}", source=[], target=[]))
    told = {one.key: one.advice for one in read_experiment(given).warnings}
    assert told == {"projections.E_I.connectivity.file": "lists no synapses"}


@pytest.mark.parametrize("where", ["edges", "types"])
def test_synapses_of_an_edge_beyond_one_are_told(tmp_path, where):
    """SONATA's nsyns, of the edges or their type: each edge is one synapse all the same."""
    given = network(dict(RULES["indegree"]))
    types = tmp_path / "types.csv"
    for n, words in ((1, ""), (5, "nsyns")):
        own = {"nsyns": [1, n, n]} if where == "edges" else {}
        from_file(given, "E_I", sonata(tmp_path / f"{n}.h5", ours=GOOD | own))
        if where == "types":
            types.write_text(f"edge_type_id nsyns\n100 {n}\n")
            given["projections"]["E_I"]["connectivity"]["types"] = str(types)
        experiment = read_experiment(given)
        told = {one.key: one.advice for one in experiment.warnings}
        assert list(told) == ["projections.E_I.connectivity.file"] * bool(words)
        assert words in " ".join(told.values())
        drawn = drawn_of(
            experiment.structure, experiment.structure.projections[1], experiment.numbers
        )
        assert drawn[0].tolist() == GOOD["source"]


def test_what_edges_lack_is_that_of_their_types(tmp_path):
    """Values of the file before those of the table; of the population, where it names one."""
    of = {"source": [0, 1, 2], "target": [3, 4, 5], "group": [0, 1, 0], "type": [7, 8, 7]}
    file = sonata(tmp_path / "e.h5", a=of | {"delay": [1.0, 2.0, 3.0]}, b=of)
    with h5py.File(file, "a") as opened:
        opened["edges/a/0/syn_weight"] = [5.0, 6.0]
    types = tmp_path / "types.csv"
    types.write_text(
        "edge_type_id population syn_weight delay template\n"
        '7 a 0.5 9 "a b"\n8 a 0.25 NULL x\n8 b 3 4.5 x\n7 b 2 1.5 x\n'
    )
    given = network(dict(RULES["indegree"]))
    from_file(given, "E_E", file, weight=["file", "1 mV"], delay=["file", "1 ms"])
    rule = given["projections"]["E_E"]["connectivity"]
    expected = {"a": ([5.0, 0.25, 6.0], [10, 20, 30]), "b": ([2.0, 3.0, 2.0], [15, 45, 15])}
    for population, (weights, steps) in expected.items():
        rule |= {"population": population, "types": str(types)}
        experiment = read_experiment(given)
        wiring = experiment.structure.projections[0]
        found = drawn_of(experiment.structure, wiring, experiment.numbers)
        assert found[0].tolist() == [0, 1, 2] and found[1].tolist() == [3, 4, 5]
        assert (found[2] + wiring.delays[0]).tolist() == steps
        assert (found[3] * experiment.numbers["projections.E_E.unit"]).tolist() == weights


def refused(given: dict) -> tuple[str, str]:
    with pytest.raises(ConfigError) as error:
        read_experiment(given)
    (problem,) = error.value.problems
    return problem.key, problem.advice


GOOD = {"source": [0, 1, 59], "target": [0, 1, 18]}


#: Of SONATA's files ids are whole by their type, and have one name.
COLUMNS = {
    "missing": ({"target": None}, "has no target (or post); there are: source"),
    "twice": ({"pre": [0, 1, 2]}, "has both source and pre"),
    "negative": ({"source": [0, -1, 2]}, "edge 1 (from 0) has source -1"),
    "half": ({"source": [0, 1, 1.5]}, "edge 2 (from 0) has source 1.5; expected neurons as whole"),
    "source": ({"source": [0, 61, 62]}, "edge 1 (from 0) has source 61, but the population has 61"),
    "target": ({"target": [0, 1, 19]}, "edge 2 (from 0) has target 19, but the population has 19"),
    "nan": ({"weight": [1, float("nan"), 2]}, "edge 1 (from 0) has weight nan; expected a finite"),
    "large": ({"weight": [1, 1e39, 2]}, "edge 1 (from 0) has weight 1e+39; expected a finite"),
    "inf": ({"delay": [1, 2, float("inf")]}, "edge 2 (from 0) has delay inf; expected a finite"),
}


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        *((suffix, kind) for suffix in (".npz", ".csv") for kind in COLUMNS),
        *((".h5", kind) for kind in list(COLUMNS)[4:]),
    ],
)
def test_columns_that_cannot_be_are_refused(tmp_path, suffix, kind):
    change, words = COLUMNS[kind]
    columns = {name: c for name, c in (GOOD | change).items() if c is not None}
    given = network(dict(RULES["indegree"]))
    from_file(given, "E_I", table(tmp_path / f"e{suffix}", **columns))
    key, advice = refused(given)
    assert key == "projections.E_I.connectivity.file"
    assert words in advice


def test_what_sonata_needs_is_named(tmp_path):
    given = network(dict(RULES["indegree"]))
    file = sonata(tmp_path / "e.h5", ours=GOOD)
    with h5py.File(file, "a") as opened:
        del opened["edges/ours/target_node_id"]
    from_file(given, "E_I", file)
    assert "has no target_node_id in /edges/ours" in refused(given)[1]


def test_columns_of_unlike_lengths_are_refused(tmp_path):
    given = network(dict(RULES["indegree"]))
    from_file(given, "E_I", table(tmp_path / "e.npz", source=[0, 1], target=[0, 1, 2]))
    assert "unlike lengths: source 2, target 3" in refused(given)[1]
    file = sonata(tmp_path / "e.h5", ours=GOOD | {"delay": [1.0, 2.0, 3.0]})
    with h5py.File(file, "a") as opened:
        del opened["edges/ours/edge_group_id"]
        opened["edges/ours/edge_group_id"] = [0, 0]
    from_file(given, "E_I", file)
    assert "unlike lengths: source_node_id 3, edge_group_id 2" in refused(given)[1]
    with h5py.File(file, "a") as opened:
        del opened["edges/ours/edge_group_id"]
        opened["edges/ours/edge_group_id"] = [0, 0, 0]
        opened["edges/ours/edge_group_index"][2] = 3
    assert "edge 2 (from 0) has row 3 of group 0, whose delay has 3" in refused(given)[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "source,target\n0,1\n\n# more\n1,x\n",
            "line 5: '1,x'; expected 2 numbers: source, target",
        ),
        ("source,target,target\n0,1,2\n", "has several columns target; expected one"),
        ("source,target\n0,1\n1\n", "line 3: '1'; expected 2 numbers"),
        ("source,target\n0,1,2\n", "line 2: '0,1,2'; expected 2 numbers"),
        ("0,1\n1,2\n", "begins with numbers; expected a line of names: source,target"),
        ("", "has no source (or pre); there are: none"),
        ("source;target\n0;1\n", "has one column, source;target; expected commas between columns"),
        ("source,target\n0,\u00e4\udcff\n", "cannot be read"),
    ],
    ids=["word", "twice", "short", "long", "no names", "empty", "semicolon", "bytes"],
)
def test_a_broken_row_is_told_by_its_line(tmp_path, text, words):
    file = tmp_path / "e.csv"
    file.write_bytes(text.encode(errors="surrogateescape"))
    given = network(dict(RULES["indegree"]))
    from_file(given, "E_I", file)
    key, advice = refused(given)
    assert key == "projections.E_I.connectivity.file"
    assert words in advice


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".h5", ".txt"])
def test_files_that_are_missing_or_truncated_are_refused(tmp_path, suffix):
    given, file = network(dict(RULES["indegree"])), tmp_path / f"e{suffix}"
    from_file(given, "E_I", file)
    assert refused(given)[1].startswith(f"{file} does not exist")
    if suffix == ".txt":
        file.touch()
        assert "expected .npz or .csv" in refused(given)[1]
        return
    table(file, source=np.arange(60), target=np.arange(60) % 19)
    assert read_experiment(given)
    other = tmp_path / f"other{suffix}"
    other.write_bytes(file.read_bytes()[: -15 if suffix == ".csv" else -300])
    from_file(given, "E_I", other)
    if suffix == ".csv":
        other.write_bytes(other.read_bytes().rpartition(b",")[0])
    key, advice = refused(given)
    assert key == "projections.E_I.connectivity.file"
    assert "line" in advice if suffix == ".csv" else "cannot be read" in advice
    assert "pickle" not in advice
    rule = given["projections"]["E_I"]["connectivity"]
    rule["file"] = None
    assert "is needed" in refused(given)[1]


def test_a_population_of_several_must_be_chosen(tmp_path):
    given = network(dict(RULES["indegree"]))
    from_file(given, "E_I", sonata(tmp_path / "e.h5", ours=GOOD, theirs=GOOD))
    assert "several populations of edges, ours, theirs: choose one" in refused(given)[1]
    rule = given["projections"]["E_I"]["connectivity"]
    rule["population"] = "our"
    assert "no edges of 'our'; did you mean 'ours'?" in refused(given)[1]
    rule |= {"population": "ours", "types": str(tmp_path / "types.csv")}
    assert "types.csv does not exist" in refused(given)[1]
    (tmp_path / "types.csv").write_text("edge_type_id syn_weight\n100 heavy\n")
    assert "types.csv, line 2: expected an edge_type_id and a syn_weight" in refused(given)[1]
    with h5py.File(tmp_path / "n.h5", "w") as file:
        file["nodes/x"] = [1]
    from_file(given, "E_I", tmp_path / "n.h5")
    assert "has no populations in /edges" in refused(given)[1]


def test_without_h5py_is_said_what_to_install(tmp_path, monkeypatch):
    given = network(dict(RULES["indegree"]))
    from_file(given, "E_I", sonata(tmp_path / "e.h5", ours=GOOD))
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert "pip install 'neurolab[sonata]'" in refused(given)[1]


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"weight": ["file", "1 nS"]}, "weight", "expected"),
        ({"weight": ["file"]}, "weight", "file takes one value"),
        ({"weight": ["file", "1 mV", "2 mV"]}, "weight", "file takes one value"),
        ({"weight": ["file", "1e38 mV"]}, "weight", "must be finite, and at most"),
        ({"delay": ["file", "1 mV"]}, "delay", "expected a time"),
        ({"delay": ["file", "0.02 ms"]}, "delay", "edge 0 (from 0) of the file a delay of 0.04 ms"),
        ({"delay": ["file", "-1 ms"]}, "delay", "expected half a step"),
        ({"delay": ["file", "1e12 ms"]}, "delay", "below 2^31 steps"),
    ],
)  # fmt: skip
def test_factors_that_cannot_be_are_refused(tmp_path, change, key, words):
    given = network(dict(RULES["indegree"]))
    file = table(tmp_path / "e.npz", **GOOD, weight=[1.0, 2.0, 4.0], delay=[2.0, 3.0, 4.0])
    from_file(given, "E_I", file, **change)
    where, advice = refused(given)
    assert where == f"projections.E_I.{key}"
    assert words in advice


@pytest.mark.parametrize("key", ["weight", "delay"])
def test_a_rule_that_brings_none_has_none_to_take(tmp_path, key):
    given = network(dict(RULES["indegree"]))
    factor = ["file", "1 mV" if key == "weight" else "1 ms"]
    given["projections"]["E_I"][key] = factor
    where, advice = refused(given)
    assert where == f"projections.E_I.{key}" and "it brings none" in advice
    from_file(given, "E_I", table(tmp_path / "e.npz", **GOOD), **{key: factor})
    assert refused(given)[0] == f"projections.E_I.{key}"
    # Of a file that cannot be read nothing else is said.
    from_file(given, "E_I", tmp_path / "none.npz")
    assert refused(given)[0] == "projections.E_I.connectivity.file"


def test_weights_through_a_conductance_are_not_negative(tmp_path):
    given = network(dict(RULES["indegree"]))
    conductance = {"_target_": "neurolab.synapses.Conductance", "E": "0 mV"}
    given["populations"]["I"]["receptors"] = {
        "ampa": {"_target_": "neurolab.synapses.Expon", "output": conductance}
    }
    given["projections"]["E_I"] |= {"receptor": "ampa", "weight": "1 mS"}
    file = table(tmp_path / "e.npz", **GOOD, weight=[1.0, -2.0, 4.0])
    from_file(given, "E_I", file, weight=["file", "1 mS"])
    key, advice = refused(given)
    assert key == "projections.E_I.weight" and "1 of 3 values are not" in advice


YAML = """\
# @package _global_
# Two cells of which one drives the other.
defaults:
  - /neuron@populations.A.neuron: lif_ref
  - /input@populations.A.inputs.drive: constant
  - /neuron@populations.B.neuron: lif_ref
  - /connectivity@projections.A_B.connectivity: edges
  - override /neuron: null
  - override /synapse: none
  - override /input: none
  - _self_
size: null
populations:
  A: {size: 2, inputs: {drive: {amplitude: 3 rheobase}}}
  B: {size: 3}
projections:
  A_B: {from: A, to: B, connectivity: {file: edges.csv}, weight: [file, 1 mV], delay: 1 ms}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with a network of one's own and its table."""
    (tmp_path / "conf" / "network").mkdir(parents=True)
    (tmp_path / "conf" / "network" / "two.yaml").write_text(YAML)
    (tmp_path / "edges.csv").write_text("pre,post,weight\n0,0,9\n1,2,20\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMAND = ["network=two", "duration=40ms", "device=cpu", "device.precision=float64"]


def test_another_content_of_the_file_is_another_configuration(folder):
    hashes = [neurolab.run(COMMAND, folder=name).summary["config_hash"] for name in "ab"]
    (folder / "edges.csv").write_text("pre,post,weight\n0,1,9\n")
    other = neurolab.run(COMMAND, folder="c").summary["config_hash"]
    assert hashes[0] == hashes[1] != other


def test_factors_are_swept_as_one_program_and_another_file_is_not_resumed(folder):
    """A hundredth of the factor is a hundredth of the weights in the table."""
    swept = [*COMMAND, "projections.A_B.weight=[file,0.01mV],[file,1mV]"]
    sweep = neurolab.run_sweep(swept, folder="sweep")
    assert len(list((folder / "sweep" / "batches").iterdir())) == 1
    few, many = (point.spikes for point in sweep)
    assert many.equals(neurolab.run(COMMAND, folder="run").spikes)
    (folder / "edges.csv").write_text("pre,post,weight\n0,0,0.09\n1,2,0.2\n")
    assert few.equals(neurolab.run(COMMAND, folder="other").spikes)
    assert many["time"].size > few["time"].size > 0
    with pytest.raises(ConfigError, match=r"edges\.csv"):
        neurolab.run_sweep([*swept, "sweep.resume=sweep"])


def test_files_are_swept_each_with_its_own_synapses(folder):
    """As the runs of each: two of one length as one program, and one of another."""
    (folder / "b.csv").write_text("source,target,weight\n1,2,30\n0,1,40\n")
    np.savez(folder / "c.npz", source=[0, 1, 1], target=[0, 0, 2], weight=[9.0, 2.0, 3.0])
    files = ["edges.csv", "b.csv", "c.npz"]
    key = "projections.A_B.connectivity.file"
    sweep = neurolab.run_sweep([*COMMAND, f"{key}={','.join(files)}"], folder="sweep")
    assert len(list((folder / "sweep" / "batches").iterdir())) == 2
    for file, point in zip(files, sweep, strict=True):
        alone = neurolab.run([*COMMAND, f"{key}={file}"], folder=f"run-{file}")
        assert point.spikes.equals(alone.spikes)
    assert not sweep[0].spikes.equals(sweep[1].spikes)


def test_the_command_says_what_is_wrong_with_a_file(folder):
    (folder / "edges.csv").write_text("pre,post,weight\n0,0,9\n1,3,20\n")
    done = subprocess.run(
        [sys.executable, "-m", "neurolab", *COMMAND], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(neurolab.__file__).parents[1])},
    )  # fmt: skip
    assert done.returncode != 0 and not (folder / "outputs").exists()
    said = " ".join(done.stderr.split())
    assert "projections.A_B.connectivity.file = edges.csv" in said
    assert "edge 1 (from 0) has target 3, but the population has 3 neurons, 0 to 2" in said
