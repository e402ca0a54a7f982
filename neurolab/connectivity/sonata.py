"""Synapses in a file of SONATA, the Allen Institute's and Blue Brain's format of networks."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from neurolab.connectivity.edges import Edges, checked
from neurolab.dynamics import parameter
from neurolab.problems import InputFileError, did_you_mean, must_exist

__all__ = ["Sonata"]

#: What an edge may have of its own, in SONATA's words; a delay is in ms.
_NAMES = {"weight": "syn_weight", "delay": "delay"}


class Sonata(Edges):
    """The edges of a population of a SONATA file (.h5).

    ``/edges/<population>`` has ``source_node_id`` and ``target_node_id``, counted from 0 in their
    populations, and each edge's ``syn_weight`` and ``delay`` in a group, which ``edge_group_id``
    names, at ``edge_group_index``; what is not there is taken from a table of edge types, where one
    is given.  Both are plain numbers: ``delay: [file, 1 ms]``, ``weight: [file, 1 nS]``, in which
    unit weights are is the model's to say.  The attributes ``magic`` and ``version`` are not asked
    for, which files of some tools lack; indices, and all else, are passed over: an edge is one
    synapse, whatever its ``nsyns``, of which `doubts` tells.

    Source: the SONATA developer guide, github.com/AllenInstitute/sonata.

    Raises
    ------
    InputFileError
        In `load`, as `Edges`; of several populations of which none is chosen; without h5py.
    """

    recorded: ClassVar[tuple[str, ...]] = ("file", "population", "types")
    optional: ClassVar[tuple[str, ...]] = ("population", "types")

    file = parameter(None, "edges by SONATA (.h5)")
    population = parameter(None, "population of edges; None: the only one")
    types = parameter(None, "table of edge types (.csv), for what the edges themselves lack")
    multiple = parameter(None, "how many edges have an nsyns other than 1", role="events")

    def doubts(self) -> str:
        if self.multiple is None:
            return super().doubts()
        some = f"{int(self.multiple)} of {np.size(self.source)} edges"
        return (
            f"has an nsyns other than 1 at {some}, each of which is one synapse here: where it "
            "counts, multiply syn_weight by it in the file"
        )

    @classmethod
    def load(cls, settings: Mapping[str, Any], size: int) -> Mapping[str, Any]:
        path, types = Path(str(settings["file"])), settings.get("types")
        for one in (path, *([] if types is None else [Path(str(types))])):
            must_exist(one)
        if importlib.util.find_spec("h5py") is None:
            raise InputFileError("needs h5py, which is missing: pip install 'neurolab[sonata]'")
        import h5py

        try:
            with h5py.File(path, "r") as file:
                return _read(path, file, settings.get("population"), types)
        except InputFileError:
            raise
        except (OSError, KeyError, ValueError, TypeError, IndexError, RuntimeError) as error:
            text = f"{path} cannot be read as edges of SONATA ({error})"
            raise InputFileError(text) from error


def _read(path: Path, file: Any, population: Any, types: Any) -> dict[str, np.ndarray]:
    """The columns of a population of edges."""
    known = list(file.get("edges", {}))
    if population is None and len(known) != 1:
        some = f"several populations of edges, {', '.join(known)}: choose one by population"
        raise InputFileError(f"{path} has {some if known else 'no populations in /edges'}")
    name = known[0] if population is None else str(population)
    if name not in known:
        raise InputFileError(f"{path} has no edges of '{name}'; {did_you_mean(name, known)}")
    edges = file[f"edges/{name}"]
    columns = {end: _column(path, edges, f"{end}_node_id") for end in ("source", "target")}
    for own, in_file in _NAMES.items():
        values, there = _of_edges(path, edges, name, in_file, types)
        if there.any() and not there.all():
            lacks = f"edge {np.argmin(there)} (from 0) has no {in_file}, and others have"
            raise InputFileError(f"{path}: {lacks}; a table of edge types may say: types")
        if there.any():
            columns[own] = values
    nsyns, there = _of_edges(path, edges, name, "nsyns", types)
    multiple = np.count_nonzero(there & (nsyns != 1))
    return checked(path, columns) | ({"multiple": np.array(multiple)} if multiple else {})


def _of_edges(
    path: Path, edges: Any, population: str, name: str, types: Any
) -> tuple[np.ndarray, np.ndarray]:
    """A value of each edge, its own or that of its type, and which edges have one."""
    values, there = _of_groups(path, edges, name, len(edges["source_node_id"]))
    if types is not None and not there.all():
        import pandas as pd

        of_type = _of_types(Path(str(types)), population, name)
        at = pd.Index([*of_type]).get_indexer(_column(path, edges, "edge_type_id"))
        values = np.where(there, values, np.array([*of_type.values(), 0.0])[at])
        there |= at >= 0
    return values, there


def _column(path: Path, group: Any, name: str) -> np.ndarray:
    if name not in group:
        raise InputFileError(f"{path} has no {name} in {group.name}; {did_you_mean(name, group)}")
    return np.asarray(group[name][()])


def _of_groups(path: Path, edges: Any, name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A value of each edge from the group that it is in, and which edges have one."""
    values, there = np.zeros(n), np.zeros(n, bool)
    groups = [key for key in edges if key.isdecimal() and name in edges[key]]
    if not groups:
        return values, there
    of, place = (_column(path, edges, key) for key in ("edge_group_id", "edge_group_index"))
    if of.shape != (n,) or place.shape != (n,):
        sizes = f"source_node_id {n}, edge_group_id {of.size}, edge_group_index {place.size}"
        raise InputFileError(f"{path} has columns of unlike lengths: {sizes}")
    for key in groups:
        own, here = _column(path, edges[key], name), of == int(key)
        bad = np.flatnonzero(here & ((place < 0) | (place >= own.size)))
        if bad.size:
            lacks = f"has row {place[bad[0]]} of group {key}, whose {name} has {own.size}"
            raise InputFileError(f"{path}: edge {bad[0]} (from 0) {lacks}")
        values[here], there = own[place[here]], there | here
    return values, there


def _of_types(path: Path, population: str, name: str) -> dict[int, float]:
    """The values of a column of a table of edge types, which has blanks between them."""
    found: dict[int, float] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file, delimiter=" ", skipinitialspace=True)
        for row in rows:
            value = row.get(name)
            if row.get("population") not in (None, population) or value in (None, "", "NULL"):
                continue
            try:
                found[int(row["edge_type_id"])] = float(str(value))
            except (ValueError, TypeError, KeyError) as error:
                wanted = f"expected an edge_type_id and a {name}, between blanks"
                raise InputFileError(f"{path}, line {rows.line_num}: {wanted}") from error
    return found
