"""Sections of recipes as the Python API takes them: the section itself, or what differs from its defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from fgbench.api.arguments import shown
from fgbench.config import Section
from fgbench.config.reading import check_recipe
from fgbench.errors import ConfigError

_Section = TypeVar("_Section", bound=Section)


def section(name: str, given: _Section | Mapping[str, Any] | None, kind: type[_Section]) -> _Section:
    """Return a section of a recipe.

    Args:
        name: Its name.
        given: The section, or a dict of what differs from its defaults; ``None`` has these.
        kind: Its type.

    Raises:
        ConfigError: If it is neither, a key is unknown, or a value is not valid.
    """
    if given is None:
        return kind()
    if isinstance(given, kind):
        return given
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise ConfigError(
            f"settings {shown(given)}, expected the section {name} of a recipe, or a dict",
            f"fgbench recipes default lists the keys of {name}",
        )
    try:
        return check_recipe(dict(given), f"section {name}", kind)
    except TypeError as error:  # values that JSON does not have
        raise ConfigError(
            f"settings of {name} have a value that recipes do not have: {error}",
            f"fgbench recipes default lists the keys of {name}",
        ) from error
