"""All generated pages of the site, as Markdown; they need no mkdocs."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from docsite import models, options

__all__ = ["figures", "generated"]

ROOT = Path(__file__).parent.parent
#: Documents of the repository that are pages of the site as they are.
DOCUMENTS = {
    "performance.md": "benchmarks/README.md",
    "design.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\((?!https?:|#)([^)]*)\)")


def studies() -> list[Path]:
    """The folders of the studies, in the order of experiments/README.md."""
    text = (ROOT / "experiments" / "README.md").read_text()
    return [ROOT / "experiments" / name for name in re.findall(r"^\| \[(\w+)\]", text, re.M)]


@cache
def generated() -> dict[str, str]:
    """Markdown of each page by its path on the site."""
    made = models.pages() | options.reference()
    for path, source in DOCUMENTS.items():
        made[path] = _unlinked((ROOT / source).read_text())
    gallery = ["# Studies\n", _GALLERY]
    for folder in studies():
        name, text = folder.name, (folder / "README.md").read_text()
        title, _, rest = text.partition("\n")
        text = re.sub(r"\]\(\.\./(\w+)/\)", r"](\1.md)", rest)
        what = (folder / f"{name}.yaml").read_text()
        made[f"studies/{name}.md"] = f"{title}\n{text}\n\n## The sweep\n\n```yaml\n{what}```\n"
        first = text.strip().split("\n\n")[0].replace("\n", " ")
        heading = f"## [{title.removeprefix('# ')}]({name}.md)"
        gallery.append(f"{heading}\n\n{first}\n\n[![{name}]({name}.png)]({name}.md)\n")
    made["studies/index.md"] = "\n".join(gallery)
    return made


_GALLERY = """\
Each study is a whole sweep in one file of `conf/experiment/`, a page on how to read it,
and its figure. `python -m neurolab experiment=<study>` computes one,
`python experiments/<study>/figure.py <folder>` draws it. What is typed replaces what the file says:
`python -m neurolab experiment=fi_curves neuron=lif,expif duration=20s`.
"""


def figures() -> dict[str, Path]:
    """The pictures of the studies by their paths on the site."""
    return {f"studies/{at.name}.png": at / f"{at.name}.png" for at in studies()}


def with_sections(nav: Any) -> Any:
    """The navigation with the pages of what is generated: models, configuration, studies."""
    if isinstance(nav, list):
        return [with_sections(entry) for entry in nav]
    if not isinstance(nav, dict):
        return nav
    found = {title: with_sections(below) for title, below in nav.items()}
    for title in found.keys() & {"Models", "Configuration", "Studies"}:
        folder = title.lower()
        paths = [path for path in generated() if path.startswith(f"{folder}/")]
        top = [path for path in paths if path.count("/") == 1]
        kinds = dict.fromkeys(path.split("/")[1] for path in paths if path not in top)
        below = [{k.capitalize(): [p for p in paths if f"/{k}/" in p]} for k in kinds]
        index = f"{folder}/index.md"
        found[title] = [index, *(path for path in top if path != index), *below]
    return found


def _unlinked(text: str) -> str:
    """Without links to files of the repository that are no pages."""
    pages = {source: path for path, source in DOCUMENTS.items()}

    def link(found: re.Match[str]) -> str:
        at = pages.get(found[2])
        return f"[{found[1]}]({at})" if at else found[1]

    return _LINK.sub(link, text)
