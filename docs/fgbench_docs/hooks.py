"""Hooks of MkDocs: fill the generated parts of the pages, and add the notebooks as pages.

A page holds ``<!-- generated: NAME -->``, words for readers of the file itself, and ``<!-- end -->``; the
function of that name in :mod:`fgbench_docs.parts` gives the text that takes their place.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parents[1]))

from fgbench_docs.notebooks import as_markdown, notebook_files, title_of
from fgbench_docs.parts import PARTS

_PART = re.compile(r"<!-- generated: ([a-z-]+) -->\n.*?<!-- end -->", re.DOTALL)
_ROLE = re.compile(r":(?:attr|class|data|exc|func|meth|mod):(?=<code>)")


def on_config(config: Any) -> Any:
    """Add the notebooks to the navigation, where there are any."""
    pages = [{title_of(path): f"notebooks/{path.stem}.md"} for path in notebook_files(Path(config.docs_dir))]
    if pages and {"Notebooks": pages} not in config.nav:
        config.nav.insert(2, {"Notebooks": pages})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Replace each notebook by a page of its cells."""
    for path in notebook_files(Path(config.docs_dir)):
        source = f"notebooks/{path.name}"
        if found := files.get_file_from_path(source):
            files.remove(found)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=as_markdown(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Fill the generated parts of a page."""
    return filled(markdown, page.file.src_uri)


def on_page_content(html: str, page: Any, config: Any, files: Any) -> str:
    """Drop the roles of Sphinx before names in docstrings."""
    return _ROLE.sub("", html)


def filled(markdown: str, page: str) -> str:
    """The text of a page with its generated parts.

    Args:
        markdown: The text of its file.
        page: Its path, for messages.

    Raises:
        PluginError: If it names a part that there is not.
    """

    def fill(match: re.Match[str]) -> str:
        if match[1] not in PARTS:
            raise PluginError(f"{page}: no generated part {match[1]!r}, expected one of {', '.join(PARTS)}")
        return PARTS[match[1]]()

    return _PART.sub(fill, markdown)
