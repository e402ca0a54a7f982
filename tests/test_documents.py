"""Every command and every Python snippet of README and site is run, page by page.

Blocks of a page are run in one folder, one after the other, so that later ones find the results of
earlier ones; one after `<!-- not run: why -->` is not.  A block whose first line is the name of a
file is that file.  By day long ones are smaller, `SMALLER`; by night all are as they are written,
and so are the commands on the pages of models.  Those of studies are run by tests/test_studies.py.
"""

from __future__ import annotations

import re
import runpy
import shlex
import sys
import tomllib
from pathlib import Path

import matplotlib as mpl
import pytest
import yaml

from docsite import models, options, pages
from neurolab.cli.main import main

ROOT = Path(__file__).parent.parent
WRITTEN = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(<!-- not run: .+? -->\s*)?^```(sh|python|yaml|text)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"# ([\w/]+\.(?:py|yaml))\n")

#: What stands for the newest run and the newest sweep of a page.
NEWEST = {
    r"outputs/2026-11-20/12-00-00(-000000)?-sweep": "outputs/*/*-sweep",
    r"outputs/2026-11-20/12-00-00-000000": "outputs/*/*[0-9]",
}
#: By day fewer values of an axis, shorter runs, and networks of fewer neurons.
SMALLER = (
    (r"\b(linspace|logspace)([:(].+?[:,].+?[:,] ?)\d{2,}", r"\g<1>\g<2>3"),
    (r"\b(sobol|random)(:.+?:.+?:)\d+", r"\g<1>\g<2>4"),
    (r"(seed=range:)\d{2,}", r"\g<1>2"),
    (r"network=(brunel|coba_ei)", r"\g<0> populations.E.size=80 populations.I.size=20"),
    (r"(.*network=\w+.* )duration=\d+ms", r"\g<1>duration=50ms"),
)
BY_NIGHT = ("network=microcircuit",)  # a minute to compile


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and text of the blocks of a page that are run."""
    return [(found[2], found[3]) for found in BLOCK.finditer(text) if not found[1]]


def commands(block: str) -> list[str]:
    """The commands of a block, each in a line."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if shlex.split(line, comments=True)]


def newest(text: str) -> str:
    """With the newest folders in place of those that stand for them."""
    for placeholder, pattern in NEWEST.items():
        if re.search(placeholder, text):
            folder = max(Path().glob(pattern), key=lambda path: path.stat().st_mtime)
            text = re.sub(placeholder, str(folder), text)
    return text


def command(line: str, monkeypatch) -> None:
    """A command of the shell, in this process; it ends with 0."""
    python, *arguments = shlex.split(newest(line), comments=True)
    assert python == "python" and arguments[0] == "-m", line
    monkeypatch.setattr("sys.argv", arguments[1:])
    try:
        if arguments[1] == "neurolab":
            main()
        else:
            runpy.run_module(arguments[1], run_name="__main__")
    except SystemExit as ends:
        assert not ends.code, line


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to be in; modules that are written there are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "mypkg"]:
        del sys.modules[name]


def run_page(text: str, small: bool, monkeypatch) -> None:
    told: dict[str, object] = {}
    with mpl.rc_context({"backend": "agg"}):
        for language, block in blocks(text):
            if file := FILE.match(block):
                path = Path(file[1])
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block[file.end() :])
            elif language == "python":
                exec(compile(newest(block), block, "exec"), told)
            elif language == "sh":
                for line in commands(block):
                    if small and any(long in line for long in BY_NIGHT):
                        continue
                    for pattern, fewer in SMALLER if small else ():
                        line = re.sub(pattern, fewer, line)
                    command(line, monkeypatch)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [p for p in WRITTEN if blocks(p.read_text())], ids=name)
def test_what_a_page_says_can_be_done(page, folder, monkeypatch):
    """Commands and snippets, long ones smaller."""
    run_page(page.read_text(), True, monkeypatch)


@pytest.mark.nightly
@pytest.mark.parametrize("page", [p for p in WRITTEN if blocks(p.read_text())], ids=name)
def test_what_a_page_says_can_be_done_as_it_is(page, folder, monkeypatch):
    run_page(page.read_text(), False, monkeypatch)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["neurons", "synapses", "outputs", "inputs"])
def test_the_command_of_each_model_runs(kind, folder, monkeypatch):
    made = {path: text for path, text in pages.generated().items() if f"models/{kind}/" in path}
    assert made
    for text in made.values():
        for language, block in blocks(text):
            for line in commands(block) if language == "sh" else ():
                command(f"{line} size=2 duration=20ms", monkeypatch)


@pytest.mark.parametrize("page", ["README.md", "docs/start.md"])
def test_what_the_first_command_prints(page, folder, monkeypatch, capsys):
    """Its rows are those that are shown."""
    blocks_of = BLOCK.finditer((ROOT / page).read_text())
    found = next(f for f in blocks_of if f[2] == "text")
    command("python -m neurolab neuron=adexif_ref input=poisson", monkeypatch)
    printed = capsys.readouterr().out.splitlines()
    rows = [line[:12] for line in found[3].splitlines()]
    assert rows == [line[:12] for line in printed if line[:1].strip()][: len(rows)]
    assert len(rows) >= 6


def test_setting_up_is_two_commands():
    text = (ROOT / "README.md").read_text()
    venv = "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt"
    first = f"{venv} . && .venv/bin/python -m neurolab neuron=adexif_ref input=poisson"
    assert [line for line in text.splitlines() if venv in line] == [
        first,
        f'{venv} -e ".[dev]" && .venv/bin/pytest -n auto',
    ]
    assert len(text.splitlines()) < 250


def test_links_of_readme_are_files():
    for link in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / "README.md").read_text()):
        assert (ROOT / link).exists(), link
    assert (ROOT / "docs" / "neurolab.png").stat().st_size < 200_000


def test_each_model_has_a_page_with_its_parameters():
    made = pages.generated()
    for kind, (group, classes, base) in models.KINDS.items():
        for option in options.options(group):
            if "/" in option.name or not option.target:
                continue
            text = made[f"models/{kind}/{option.name}.md"]
            model = getattr(classes, option.target)
            assert issubclass(model, getattr(classes, base))
            shown = [k for k, p in getattr(model, "parameters", {}).items() if f"| `{k}` |" in text]
            hidden = {"samples", "events"}
            assert shown == [
                key
                for key, one in getattr(model, "parameters", {}).items()
                if one.role not in hidden
            ]
            assert kind != "neurons" or "\\(" in text or "\\[" in text


def test_the_reference_has_every_option():
    made = pages.generated()
    for group in options.GROUPS:
        text = made[f"configuration/{group.replace('/', '_')}.md"]
        for option in options.options(group):
            assert f"## {option.name}\n" in text
    groups = {path.parent.relative_to(options.CONF) for path in options.CONF.rglob("*.yaml")}
    shown = {Path(group) for group in options.GROUPS}
    nested = {"hydra/job_logging", "."}  # a logging of Hydra's, the top
    assert {g for g in groups if g not in shown and g.parent not in shown} == set(map(Path, nested))


def test_names_elsewhere_are_names():
    """Of brainpy.state each is one of its classes or functions, of neurolab an option."""
    brainpy = pytest.importorskip("brainpy")
    from brainpy_state import sigmoid_rate_ipn

    there = {*dir(brainpy.state), sigmoid_rate_ipn.__name__}
    for kind, named in models.peers().items():
        known = {option.name for option in options.options(models.KINDS[kind][0])}
        assert set(named) <= known
        for names in named.values():
            assert set(names) <= {"brainpy", "brian2", "nest"}
            assert "brainpy" not in names or names["brainpy"].split("`")[1] in there


def test_the_citation_is_of_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert str(cited["version"]) == project["version"]
    assert cited["license"] == project["license"]
    assert cited["authors"] == [{"name": "The neurolab developers"}]
