"""What mkdocs calls: generated pages join those of docs/, mathematics become MathML.

Nothing on a page is fetched from elsewhere: the build ends where a page would.
"""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
if str(ROOT) not in sys.path:  # `mkdocs` as a script does not look where it was started
    sys.path.insert(0, str(ROOT))

from docsite import pages, pictures  # noqa: E402

_MATH = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
_WORD = re.compile(r"_\{([a-z]{2,}(?:,[a-z]{2,})*)")  # in an index, which is upright
_PICTURE = re.compile(r"<p>picture of (\w+)</p>")
_FETCHED = re.compile(r'<(?:script|img|iframe|link)[^>]*(?:src|href)="?(?:https?:)?//[^>]*>')


def on_config(config: Any) -> Any:
    """Sections whose pages are generated get them."""
    config["nav"] = pages.with_sections(config["nav"])
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add what is generated, and the figures of the studies."""
    for path, text in pages.generated().items():
        files.append(File.generated(config, path, content=text))
    for path, source in pages.figures().items():
        files.append(File.generated(config, path, abs_src_path=str(source)))
    return files


def on_page_content(content: str, **_: Any) -> str:
    """Mathematics as MathML, and the pictures of neurons, which neurolab computes now."""
    content = _MATH.sub(lambda found: mathml(found[2], found[1] == "div"), content)
    return _PICTURE.sub(lambda found: pictures.of_neuron(found[1]), content)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """A page that fetches something from elsewhere is refused."""
    if fetched := _FETCHED.search(output):
        raise PluginError(f"{page.file.src_uri} fetches from elsewhere: {fetched[0]}")
    return output


def mathml(latex: str, block: bool) -> str:
    """LaTeX as MathML, which browsers draw by themselves."""
    latex = _WORD.sub(r"_{\\text{\1}", html.unescape(latex).strip())
    made = str(convert(latex, display="block" if block else "inline"))
    return f'<div class="equation">{made}</div>' if block else made
