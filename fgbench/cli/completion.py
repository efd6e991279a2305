"""Shell completion: names of recipes, runs, tables and figures.

Each function lists names; it imports nothing slow and opens no file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

_YAML = (".yaml", ".yml")


def recipe(ctx: typer.Context, incomplete: str) -> list[str]:
    """Packed recipes of the command that is typed, and recipe files."""
    from fgbench.api.recipes import recipes

    words = ctx.command_path.split()[1:]
    listed = recipes()
    names = [one.name for one in listed if one.command == " ".join(words)]
    names = names or [one.name for one in listed if words and one.name.startswith(words[-1])]
    return [*_beginning(names, incomplete), *_files(incomplete)]


def any_recipe(incomplete: str) -> list[str]:
    """All recipes."""
    from fgbench.api.recipes import recipes

    return _beginning((one.name for one in recipes()), incomplete)


def label_set(incomplete: str) -> list[str]:
    """Label sets."""
    from fgbench.api.labels import label_set_names

    return _beginning(label_set_names(), incomplete)


def table(incomplete: str) -> list[str]:
    """Tables of ``fgbench report``: the paper's by their numbers, others by their names."""
    from fgbench.api.tables import ROMAN, table_names

    named = (name for name in table_names() if name not in ROMAN)
    return [*_beginning(ROMAN, incomplete.upper()), *_beginning(named, incomplete)]


def figure(incomplete: str) -> list[str]:
    """Figures of ``fgbench report``."""
    from fgbench.api.tables import figure_names

    return _beginning(figure_names(), incomplete)


def run(ctx: typer.Context, incomplete: str) -> list[str]:
    """Runs of the work folder named earlier on the command line, else of the embedded data set's."""
    from fgbench.api.run_names import experiment_names

    named = next(filter(None, map(ctx.params.get, ("workdir_option", "workdir", "workdirs"))), None)
    return _beginning(experiment_names(named[0] if isinstance(named, list | tuple) else named), incomplete)


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
