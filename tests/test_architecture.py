"""What the design promises of the code itself: which way imports point, and file lengths."""

from __future__ import annotations

import ast
import importlib.metadata
import tomllib
from functools import cache
from pathlib import Path

import pytest

import neurolab

PACKAGE = Path(neurolab.__file__).parent
MODULES = sorted(
    "neurolab." + path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    for path in PACKAGE.rglob("*.py")
)
#: The stairs: a room imports rooms below it only; those of one step do not know each other.
STAIRS = (
    {"__main__", "interactive"},
    {"api"},
    {"cli"},
    {"sweep"},
    {"simulation"},
    {"config", "report", "plot"},
    {"engine", "trackers", "plots"},
    {"synapses", "results"},
    {"neurons", "inputs", "connectivity"},
    {"integrators", "dynamics", "random"},
    {"distributions"},
    {"units", "analysis", "problems", "numbers"},
)
#: Results stand beside what computes: these two groups never meet.
MODELS = {
    "engine",
    "connectivity",
    "neurons",
    "synapses",
    "inputs",
    "integrators",
    "dynamics",
    "random",
    "units",
}
READERS = {"results", "plots", "report", "analysis"}


@cache
def tree(module: str) -> ast.Module:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return ast.parse(path.with_suffix(".py").read_text())


@cache
def imports(module: str, with_late: bool = True) -> frozenset[str]:
    """Full names that a module imports, those inside functions included, types only left out."""
    found = set()

    def look(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) and not with_late:
                continue
            if isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{module}: relative import"
                found.add(child.module)
                found.update(f"{child.module}.{alias.name}" for alias in child.names)
            look(child)

    look(tree(module))
    return frozenset(found)


def own(module: str) -> str:
    """The first name of a module inside the package: neurolab.neurons.gif is neurons."""
    return module.split(".")[1] if "." in module else ""


def packages(module: str, with_late: bool = True) -> set[str]:
    return {name.partition(".")[0] for name in imports(module, with_late)}


def inside(module: str, with_late: bool = True) -> set[str]:
    names = {n for n in imports(module, with_late) if n.startswith("neurolab.")}
    return {own(name) for name in names} - {own(module)}


@pytest.mark.parametrize("module", MODULES)
def test_no_import_climbs_a_stair(module):
    """A room imports only rooms below it, inside of functions too."""
    level = {name: number for number, rooms in enumerate(STAIRS) for name in rooms}
    here = own(module)
    if here in ("", "__init__"):
        return
    above = {room for room in inside(module) & level.keys() if level[room] <= level[here]}
    assert above == set()


def test_every_room_has_its_place():
    """What is in the package is on the stairs, once."""
    rooms = [name for step in STAIRS for name in step]
    assert len(rooms) == len(set(rooms))
    assert {own(module) for module in MODULES} - {"", "__init__"} == set(rooms)


@pytest.mark.parametrize("module", [m for m in MODULES if own(m) in MODELS])
def test_models_know_nothing_of_configurations_files_and_trackers(module):
    """Models import neither Hydra nor what reads, writes, draws or tracks results."""
    away = {"hydra", "omegaconf", "zarr", "xarray", "matplotlib", "wandb", "rich"}
    assert packages(module) & away == set()


@pytest.mark.parametrize("module", MODULES)
def test_only_the_command_line_knows_hydra(module):
    """Hydra is imported in cli alone; YAML that was saved is read elsewhere too."""
    if own(module) not in ("cli", "api"):
        assert "hydra" not in packages(module)
    if own(module) not in ("cli", "api", "results", "plots", "report"):
        assert "omegaconf" not in packages(module)


@pytest.mark.parametrize("module", [m for m in MODULES if own(m) in READERS | {"trackers"}])
def test_results_are_read_without_models(module):
    """Plots, analysis, results, pages and trackers import neither JAX nor a model."""
    assert packages(module) & {"jax", "brainstate", "brainunit", "braintools"} == set()
    assert inside(module) & (MODELS | {"config", "simulation", "sweep"}) == set()


@pytest.mark.parametrize("module", MODULES)
def test_heavy_packages_are_imported_where_used(module):
    """Tracking libraries only by their tracker, Plotly never, Zarr and the like in functions."""
    assert "plotly" not in packages(module)
    for library in ("wandb", "trackio"):
        assert library not in packages(module, with_late=False)
        assert library not in packages(module) or module == f"neurolab.trackers.{library}"
    late = {"zarr", "xarray"} if own(module) in READERS else {"zarr", "xarray", "matplotlib"}
    assert packages(module, with_late=False) & late == set()


@pytest.mark.parametrize("module", MODULES)
def test_a_file_is_short_and_says_what_it_is_for(module):
    """At most 300 lines, a docstring, and no assert on what a user may have given."""
    text = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py").read_text()
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(tree(module))
    assert not [node for node in ast.walk(tree(module)) if isinstance(node, ast.Assert)]


def test_what_is_imported_is_a_dependency():
    """Every package that is imported is named in pyproject.toml."""
    path = PACKAGE.parent / "pyproject.toml"
    if path.exists():
        project = tomllib.loads(path.read_text())["project"]
        extras = project["optional-dependencies"]
        needs = [*project["dependencies"], *extras["trackio"], *extras["sonata"]]
    else:
        needs = importlib.metadata.requires("neurolab") or []
    names = {need.split(">")[0].split("<")[0].split("=")[0].strip() for need in needs}
    names = {name.replace("hydra-core", "hydra").replace("pyyaml", "yaml") for name in names}
    names = {name.replace("fonttools", "fontTools") for name in names}
    import sys

    used = set().union(*(packages(module) for module in MODULES))
    assert used - set(sys.stdlib_module_names) - {"neurolab", "hydra_plugins"} <= names
