"""Lines of a shell in the documentation, checked without running them: commands, options, names exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from functools import cache

import typer

from fgbench.catalogue.recipes import recipe_cards
from fgbench.cli.app import app
from tests.support.doc_blocks import ROOT

_EXTRAS = re.compile(r"(?:\.|fgbench)\[([a-z,]+)\]\Z")
_OWN_FILES = (".yaml", ".yml")


class WrongLineError(AssertionError):
    """A line that would not do what it says."""


def check_line(line: str) -> None:
    """Check a line of ``fgbench``, ``torchrun``, ``docker``, ``make`` or ``pip install``; no comments.

    Raises:
        WrongLineError: If it names what there is not, or another program.
    """
    words = shlex.split(line, comments=True)
    if ">" in words:
        words = words[: words.index(">")]
    if not words:
        return
    program, *arguments = words
    if program == "fgbench":
        check_command(arguments)
    elif program == "torchrun" and "-m" in arguments:
        module, *rest = arguments[arguments.index("-m") + 1 :]
        if module != "fgbench":
            raise WrongLineError(f"{line}: module {module}, expected fgbench")
        check_command(rest)
    elif program == "docker":
        _check_docker(line, arguments)
    elif program == "make":
        _check_targets(arguments)
    elif program == "pip" and arguments[:1] == ["install"]:
        _check_packages([one for one in arguments[1:] if not one.startswith("-")])
    else:
        raise WrongLineError(f"{line}: {program} is no program that the tests know")


def check_command(words: list[str]) -> None:
    """Check the words after ``fgbench``, as its own parser reads them.

    Raises:
        WrongLineError: If a command, an option, a value or a packed recipe does not exist.
    """
    command, rest = typer.main.get_command(app), list(words)
    while hasattr(command, "commands"):
        inner = command.commands.get(rest[0]) if rest else None
        if inner is None and rest and command.name == "export":  # of a network, as its group reads it
            inner, rest = command.commands["network"], ["network", *rest]
        if inner is None:
            raise WrongLineError(f"fgbench {' '.join(words)}: no such command")
        command, rest = inner, rest[1:]
    if rest == ["-h"]:
        return
    try:
        folders = [word.removeprefix("s3://") for word in rest]  # storages are asked while they are parsed
        given = command.make_context(command.name, folders).params
    except Exception as error:
        raise WrongLineError(f"fgbench {' '.join(words)}: {error}") from error
    recipe = given.get("recipe") or (given.get("name") if command.name == "recipes" else None)
    is_packed = recipe and not str(recipe).endswith(_OWN_FILES) and recipe != "NAME"
    if is_packed and str(recipe) not in _recipes():
        raise WrongLineError(f"fgbench {' '.join(words)}: no recipe {recipe}")


@cache
def _recipes() -> frozenset[str]:
    """Names of all packed recipes, and of that of the package in the documentation."""
    return frozenset({card.name for card in recipe_cards()} | {"my-faces"})


def _check_docker(line: str, arguments: list[str]) -> None:
    if arguments == ["build", "-t", "fgbench", "."]:
        if not (ROOT / "Dockerfile").is_file():
            raise WrongLineError(f"{line}: no Dockerfile")
    elif arguments[:4] == ["run", "--rm", "-v", "$PWD:/data"] and arguments[4:5] == ["fgbench"]:
        check_command(arguments[5:])
    else:
        raise WrongLineError(f"{line}: no line of docker that the Dockerfile is for")


def _check_targets(targets: list[str]) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in targets:
        if not re.search(rf"^{re.escape(target)}:", text, re.MULTILINE):
            raise WrongLineError(f"make {target}: no such target")


def _check_packages(packages: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    names = {
        re.split(r"[<>=\[; ]", one)[0]
        for one in [*project["dependencies"], *(one for extra in extras.values() for one in extra)]
    }
    for package in packages:
        match = _EXTRAS.match(package)
        if match and set(match[1].split(",")) <= set(extras):
            continue
        if package in (".", "fgbench") or package.startswith("./") or package in names:
            continue
        raise WrongLineError(f"pip install {package}: no such extra or package of fgbench's")
