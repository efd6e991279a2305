"""``fgbench recipes``: the recipes, and every key of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from fgbench.cli import completion
from fgbench.cli.console import note, print_json, say, say_all
from fgbench.cli.options import Changes, Json


def recipes(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECIPE]",
            help="Show this one: a YAML file to save and to edit.",
            show_default="list all",
            autocompletion=completion.any_recipe,
        ),
    ] = None,
    changes: Changes = None,
    json: Json = False,
) -> None:
    """List the recipes there are, or show every key of one with its default and what it is."""
    from fgbench.api import recipes as api

    if name is not None:
        _show(name, changes or (), json=json)
        return
    if changes:
        raise typer.BadParameter("expected the name of a recipe before it", param_hint="--set")
    listed = api.recipes()
    if json:
        print_json(api.recipes_json(listed))
        return
    say_all(api.recipes_lines(listed))
    say("every key of one, to save and to edit: fgbench recipes NAME > mine.yaml")


def _show(name: str, changes: Sequence[str], *, json: bool) -> None:
    from fgbench.api.recipes import recipe

    shown = recipe(name, changes)
    if json:
        print_json(shown.to_json())
        return
    say(shown.yaml.rstrip("\n"))
    taken = "--recipe FILE.yaml" if shown.command != "prepare" else "FILE.yaml in the place of its name"
    note(f"save it, change what you like, and give it as {taken}; keys that you take out have their default")
