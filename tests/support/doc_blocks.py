"""The fenced blocks of README and of the documentation's pages, each with the mark that stands before it.

A mark is a comment of HTML on the line before a block: ``<!-- runs: HOW -->``, ``<!-- tested: FILE -->``
with the test file that runs the block, or ``<!-- not run: REASON -->``. Without one the language says how it
is run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]

_MARK = re.compile(r"\s*<!-- (runs|tested|not run): (.+?) -->\s*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block.

    Attributes:
        page: Path of its page below the root.
        line: Line on which it begins, from 1.
        language: Its language; empty without one, ``indented`` of a block without a fence.
        text: What is inside.
        kind: Kind of its mark: ``runs``, ``tested``, ``not run``, or empty.
        mark: What the mark says.
    """

    page: str
    line: int
    language: str
    text: str
    kind: str
    mark: str

    @property
    def name(self) -> str:
        """Page and line, for messages."""
        return f"{self.page}:{self.line}"

    @property
    def way(self) -> str:
        """How it is run: what its mark says, else its language."""
        return self.mark if self.kind == "runs" else self.language


def pages() -> list[Path]:
    """README and all pages of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(text: str, page: str) -> list[Block]:
    """Blocks of a text in Markdown, in order, those within lists and quotes too.

    Args:
        text: The text.
        page: Its page, for messages.
    """
    found, before = [], ("", "")
    for token in MarkdownIt("commonmark").parse(text):
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            language = (token.info.split() or [""])[0] if token.type == "fence" else "indented"
            kind, mark = before
            found.append(
                Block(
                    page=page,
                    line=token.map[0] + 1,
                    language=language,
                    text=token.content,
                    kind=kind,
                    mark=mark,
                )
            )
        match = _MARK.match(token.content) if token.type == "html_block" else None
        before = (match[1], match[2]) if match else ("", "")
    return found


@cache
def blocks() -> tuple[Block, ...]:
    """Blocks of all pages."""
    return tuple(
        block
        for path in pages()
        for block in blocks_of(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
    )


def block(page: str, begin: str, language: str = "python") -> str:
    """The one block of a page and language whose text begins so.

    Args:
        page: Path below the root.
        begin: Its first words.
        language: Its language.
    """
    (found,) = [
        one.text
        for one in blocks()
        if one.page == page and one.language == language and one.text.startswith(begin)
    ]
    return found
