"""Shell completion: names of recipes, runs, tables and figures.

Each function lists names; it imports nothing slow and opens no file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from fgbench.workfolders import default_folders
from fgbench.workfolders.layout import RUNS

ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}
"""Numbers of the paper's tables."""

_YAML = (".yaml", ".yml")


def recipe(ctx: typer.Context, incomplete: str) -> list[str]:
    """Packed recipes of the command that is typed, and recipe files."""
    from fgbench.catalogue.recipes import recipe_cards

    words = ctx.command_path.split()[1:]
    cards = recipe_cards()
    names = [card.name for card in cards if card.command == " ".join(words)]
    names = names or [card.name for card in cards if words and card.name.startswith(words[-1])]
    return [*_beginning(names, incomplete), *_files(incomplete)]


def any_recipe(incomplete: str) -> list[str]:
    """All recipes."""
    from fgbench.catalogue.recipes import recipe_cards

    return _beginning((card.name for card in recipe_cards()), incomplete)


def label_set(incomplete: str) -> list[str]:
    """Label sets."""
    from fgbench.taxonomy import ontology_names

    return _beginning(ontology_names(), incomplete)


def table(incomplete: str) -> list[str]:
    """Tables of ``fgbench report``: the paper's by their numbers, others by their names."""
    from fgbench import plugins

    numbered = {f"table{number}" for number in ROMAN.values()}
    named = (name for name in plugins.names("tables") if name not in numbered)
    return [*_beginning(ROMAN, incomplete.upper()), *_beginning(named, incomplete)]


def figure(incomplete: str) -> list[str]:
    """Figures of ``fgbench report``."""
    from fgbench import plugins

    named = (name.removeprefix("figure") for name in plugins.names("figures"))
    return _beginning(named, incomplete)


def run(ctx: typer.Context, incomplete: str) -> list[str]:
    """Runs of the work folder named earlier on the command line, else of the embedded data set's."""
    named = next(filter(None, map(ctx.params.get, ("workdir_option", "workdir", "workdirs"))), None)
    folder = named[0] if isinstance(named, list | tuple) else named
    runs = Path(folder or default_folders.DEMO_WORKDIR) / RUNS
    try:
        names = [entry.name for entry in runs.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return []
    return _beginning(names, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))


def _files(incomplete: str) -> list[str]:
    """Recipe files in the folder typed so far; folders end with a slash."""
    head, slash, start = incomplete.rpartition("/")
    folder = Path(head + slash) if slash else Path()
    try:
        entries = [entry for entry in folder.iterdir() if entry.name.startswith(start)]
        return sorted(
            f"{head}{slash}{entry.name}"
            for entry in entries
            if entry.suffix in _YAML and not entry.name.startswith(".") and entry.is_file()
        )
    except OSError:
        return []
