"""Files, modules and commands that the text of the documentation names are there."""

import importlib
import re

import pytest
import typer

from fgbench.cli.app import app
from fgbench.plugin_shapes import SHAPES
from tests.support.doc_blocks import ROOT, pages

PAGES = [*pages(), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
EXAMPLES = {"fgbench/methods/mine.py", "fgbench/methods/resnet.py"}
"""Files that a reader is to write."""
POINTS = {f"fgbench.{kind}" for kind in SHAPES}
"""Groups of entry points, which are called as modules are."""

FILES = re.compile(r"(?<![\w/.-])(?:fgbench|tests|docs|pipelines)/[\w./<>*-]+")
MODULES = re.compile(r"(?<![\w/.\"-])fgbench(?:\.[A-Za-z_]\w*)+")
COMMANDS = re.compile(r"`fgbench ([a-z][^`]*)`")


def missing_files(text):
    """Paths below the root that a text names and that match no file or folder."""
    for name in sorted(set(FILES.findall(text))):
        pattern = re.sub(r"<\w+>", "*", name).rstrip("/.")
        if name not in EXAMPLES and not any(ROOT.glob(pattern)):
            yield name


def missing_modules(text):
    """Modules of fgbench, and members of them, that a text names and that cannot be imported."""
    for name in sorted(set(MODULES.findall(text))):
        if name not in POINTS and not is_importable(name):
            yield name


def is_importable(name):
    first, *members = name.split(".")
    value = importlib.import_module(first)
    path = first
    for member in members:
        path = f"{path}.{member}"
        if not hasattr(value, member):
            try:
                importlib.import_module(path)
            except ImportError:
                return False
        value = getattr(value, member)
    return True


def missing_commands(text):
    """Commands in running text that do not exist, with or without their words."""
    for words in COMMANDS.findall(text):
        command = typer.main.get_command(app)
        for word in words.split():
            inner = getattr(command, "commands", None)
            if inner is None or word[0] in "-.<" or word.isupper():
                break
            if word not in inner:
                is_run = command.name == "export"  # of a network, by its name
                if not is_run and f"fgbench/methods/{word}.py" not in EXAMPLES:
                    yield words
                break
            command = inner[word]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_page_names_is_there(path):
    text = path.read_text(encoding="utf-8")
    assert list(missing_files(text)) == []
    assert list(missing_modules(text)) == []
    assert list(missing_commands(text)) == []


def test_what_is_not_there_is_told():
    text = (
        "`fgbench/moved/away.py`, `fgbench/*/nothing.py`, `fgbench/errors.py`, `tests/docs/`, "
        "`docs/<name>.md`; "
        "fgbench.moved, fgbench.errors.FgbenchError, fgbench.errors.Moved, fgbench.tables; "
        "`fgbench prepair`, `fgbench train masu`, `fgbench export RUN`, `fgbench train msau --seeds 3`"
    )
    assert list(missing_files(text)) == ["fgbench/*/nothing.py", "fgbench/moved/away.py"]
    assert list(missing_modules(text)) == ["fgbench.errors.Moved", "fgbench.moved"]
    assert list(missing_commands(text)) == ["prepair", "train masu"]
