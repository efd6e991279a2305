"""``fgbench recipes``: the recipes, and every key of one."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fgbench.cli import completion
from fgbench.cli.console import note, print_json, say
from fgbench.cli.options import Changes, Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fgbench.catalogue.recipes import RecipeCard


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
    from fgbench.catalogue.recipes import recipe_card, recipe_cards

    if name is None:
        if changes:
            raise typer.BadParameter("expected the name of a recipe before it", param_hint="--set")
        _list(recipe_cards(), json=json)
    else:
        _show(recipe_card(name), changes or (), json=json)


def _list(cards: list[RecipeCard], *, json: bool) -> None:
    from fgbench.catalogue.recipes import describe

    if json:
        print_json(
            [
                {
                    "name": card.name,
                    **({"package": card.package} if card.package else {}),
                    "command": card.command,
                    "usage": f"fgbench {card.usage}",
                    "data_set": _data_set(card),
                    "description": describe(card),
                }
                for card in cards
            ]
        )
        return
    width = max(len(card.name) for card in cards)
    for command, group in groupby(cards, key=lambda card: card.command):
        say(f"fgbench {command}")
        for card in group:
            package = f" (of the package {card.package})" if card.package else ""
            say(f"  {card.name:<{width}}  {describe(card)}{package}")
    say("every key of one, to save and to edit: fgbench recipes NAME > mine.yaml")


def _data_set(card: RecipeCard) -> str:
    """Title of the data set of a recipe; empty if it has none, or cannot be read."""
    from fgbench.catalogue.recipes import data_set_of, read_recipe
    from fgbench.errors import ConfigError

    if card.kind != "prepare":
        return ""
    try:
        return data_set_of(read_recipe(card))
    except ConfigError:
        if not card.package:
            raise
        return ""


def _show(card: RecipeCard, changes: Sequence[str], *, json: bool) -> None:
    from fgbench.catalogue.recipes import read_recipe
    from fgbench.config import with_changes
    from fgbench.config.described import as_yaml, keys_of

    config = with_changes(read_recipe(card), changes)
    if json:
        print_json(
            {
                "name": card.name,
                "command": card.command,
                "usage": f"fgbench {card.usage}",
                "header": card.header,
                "keys": [_as_json(key) for key in keys_of(config)],
            }
        )
        return
    say(as_yaml(config, card.header).rstrip("\n"))
    taken = "--recipe FILE.yaml" if card.kind != "prepare" else "FILE.yaml in the place of its name"
    note(f"save it, change what you like, and give it as {taken}; keys that you take out have their default")


def _as_json(key: Any) -> dict[str, Any]:
    entry = {"key": key.path, "doc": key.doc}
    if key.is_section:
        return {**entry, "is_section": True}
    default = {"default": key.default} if key.has_default else {}
    return {**entry, "value": key.value, **default, "is_required": not key.has_default, "takes": key.takes}
