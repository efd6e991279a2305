"""Recipes: all there are, ``fgbench.recipes``; one with every key, ``fgbench.recipe``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import name_of
from fgbench.api.settings import changes_of
from fgbench.api.showing import paragraph
from fgbench.notebook_lines import lines_html

if TYPE_CHECKING:
    from fgbench.catalogue.recipes import RecipeCard
    from fgbench.config.described import Key


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A recipe that comes with fgbench, or with a package of others.

    Attributes:
        name: Its name, as commands and :func:`fgbench.prepare` or ``Work.train`` take it.
        command: Command that takes it, e.g. ``"train msau"``.
        usage: Whole command line, after ``fgbench``.
        header: Comments at the top of its file: run time, expected results, what the paper leaves open.
        package: Package that provides it, with its version; empty for fgbench's own.
    """

    name: str
    command: str
    usage: str
    header: str
    package: str
    _card: RecipeCard
    _changes: tuple[str, ...] = ()

    @cached_property
    def settings(self) -> Any:
        """All its settings, read and checked; defaults are filled in.

        Raises:
            ConfigError: If it is not valid, which one of another package may be.
        """
        from fgbench.catalogue.recipes import read_recipe
        from fgbench.config import with_changes

        return with_changes(read_recipe(self._card), self._changes)

    @property
    def description(self) -> str:
        """One sentence on it; for an invalid one of another package, the reason."""
        from fgbench.catalogue.recipes import describe

        return describe(self._card)

    @property
    def data_set(self) -> str:
        """Title of the data set that it is for; empty if it is for none, or cannot be read."""
        from fgbench.catalogue.recipes import data_set_of
        from fgbench.errors import ConfigError

        if self.command != "prepare":
            return ""
        try:
            return data_set_of(self.settings)
        except ConfigError:
            if not self.package:
                raise
            return ""

    @property
    def keys(self) -> list[Key]:
        """Every key with value, default, what it takes and its documentation; those of a section after it."""
        from fgbench.config.described import keys_of

        return keys_of(self.settings)

    @property
    def yaml(self) -> str:
        """The text of a file with every key, its documentation as comments: to save and to edit."""
        from fgbench.config.described import as_yaml

        return as_yaml(self.settings, self.header)

    def to_json(self) -> dict[str, Any]:
        """Return plain values: name, command, usage, header and every key."""
        return {
            "name": self.name,
            "command": self.command,
            "usage": f"fgbench {self.usage}",
            "header": self.header,
            "keys": [_as_json(key) for key in self.keys],
        }

    def __repr__(self) -> str:
        return f"<Recipe {self.name} of fgbench {self.command}>"

    def _repr_html_(self) -> str:
        return paragraph(repr(self)[1:-1]) + lines_html(self.yaml.splitlines())


def recipes() -> list[Recipe]:
    """Return all recipes, sorted by command and name; those of other packages too."""
    from fgbench.catalogue.recipes import recipe_cards

    return [_of(card) for card in recipe_cards()]


def recipe(name: str, changes: Mapping[str, Any] | Sequence[str] = ()) -> Recipe:
    """Return a recipe by its name; underscores count as hyphens.

    Args:
        name: Its name.
        changes: Settings to change, ``{"section.field": value}``, or ``"section.field=value"`` as on the
            command line.

    Raises:
        ConfigError: If there is none; the message names the nearest. If a change is not valid, when
            ``settings`` is read.
    """
    from fgbench.catalogue.recipes import recipe_card

    named = name_of("name", name, example="'msau-small'")
    return replace(_of(recipe_card(named)), _changes=tuple(changes_of("changes", changes)))


def recipes_json(listed: Sequence[Recipe]) -> list[dict[str, Any]]:
    """Return recipes as plain values, without their keys."""
    return [
        {
            "name": one.name,
            **({"package": one.package} if one.package else {}),
            "command": one.command,
            "usage": f"fgbench {one.usage}",
            "data_set": one.data_set,
            "description": one.description,
        }
        for one in listed
    ]


def recipes_lines(listed: Sequence[Recipe]) -> list[str]:
    """Return recipes as lines of text, below the commands that take them.

    Args:
        listed: At least one, those of a command together.
    """
    width = max(len(one.name) for one in listed)
    lines = []
    for command, group in groupby(listed, key=lambda one: one.command):
        lines.append(f"fgbench {command}")
        for one in group:
            package = f" (of the package {one.package})" if one.package else ""
            lines.append(f"  {one.name:<{width}}  {one.description}{package}")
    return lines


def _of(card: RecipeCard) -> Recipe:
    return Recipe(
        name=card.name,
        command=card.command,
        usage=card.usage,
        header=card.header,
        package=card.package,
        _card=card,
    )


def _as_json(key: Key) -> dict[str, Any]:
    entry = {"key": key.path, "doc": key.doc}
    if key.is_section:
        return {**entry, "is_section": True}
    default = {"default": key.default} if key.has_default else {}
    return {**entry, "value": key.value, **default, "is_required": not key.has_default, "takes": key.takes}
