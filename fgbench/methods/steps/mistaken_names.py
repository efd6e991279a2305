"""Errors on names that are no method's: those of recipes, of files, and misspelt ones."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from fgbench.config import recipe_names
from fgbench.config.named_recipes import named_recipe
from fgbench.errors import ConfigError

_LONGEST = 80


def no_method(name: str, methods: Sequence[str]) -> ConfigError:
    """Return the error on a name that is no method's, with the line to type.

    Args:
        name: The name, as the user typed it.
        methods: The names of all methods.
    """
    if name.endswith((".yaml", ".yml")):
        return ConfigError(
            f"{name!r} is the file of a recipe, expected a method",
            f"name its method too: train('msau', {name!r})",
        )
    typed = name.strip().lower().replace("_", "-")
    owner = recipe_owner(typed, methods)
    if owner is not None:
        return ConfigError(
            f"{name!r} is a recipe of the method {owner!r}, expected a method",
            f"train({owner!r}, {typed!r}); on the command line --recipe {typed}",
        )
    if typed in recipe_names("prepare"):
        return ConfigError(
            f"{name!r} is a recipe that data sets are prepared with, expected a method",
            f"fgbench.prepare(recipe={typed!r}), then train() with one of {', '.join(methods)}",
        )
    near = get_close_matches(typed, methods, 1)
    return ConfigError(
        f"no method {name[:_LONGEST]!r}" + (f", did you mean {near[0]!r}?" if near else ""),
        f"one of {', '.join(methods)}",
    )


def recipe_owner(name: str, methods: Sequence[str]) -> str | None:
    """Return the method of a packed recipe or one of a plugin; ``None`` if there is no such recipe.

    Args:
        name: Of the recipe, with hyphens.
        methods: The names of all methods.
    """
    for kind in ("train", "baseline"):
        recipe = named_recipe(kind, name)
        if recipe is None:
            continue
        if recipe.plugin:
            return recipe.plugin.replace("_", "-")
        owners = [method for method in methods if name == method or name.startswith(f"{method}-")]
        return max(owners, key=len, default=None)
    return None
