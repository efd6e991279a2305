"""Settings of a recipe changed on the spot: ``section.field=value``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from fgbench.config.reading import Recipe, check_recipe
from fgbench.config.strict_yaml import read_yaml
from fgbench.errors import ConfigError

_HINT = "write section.field=value, e.g. optimiser.epochs=3; fgbench recipes NAME lists all keys"
_CORRECT = "correct the setting; fgbench recipes NAME lists all keys with what they take"


def with_changes(config: Recipe, changes: Sequence[str]) -> Recipe:
    """Return a recipe with some settings changed.

    Args:
        config: The recipe.
        changes: Each ``key=value``: the key with dots between sections, the value as a recipe has it (YAML).

    Raises:
        ConfigError: If one is no such pair, a key is unknown, or a value is out of its bounds or of another
            type.
    """
    if not changes:
        return config
    values = config.model_dump(mode="json")
    for change in changes:
        key, is_pair, text = change.partition("=")
        if not is_pair or not all(key.strip().split(".")):
            raise ConfigError(f"setting {change!r}, expected section.field=value", _HINT)
        _put(values, key.strip().split("."), _value(text, change))
    named = ", ".join(change.partition("=")[0].strip() for change in changes)
    origin = f"recipe {values.get('name')} with another {named}"
    try:
        return check_recipe(values, origin, type(config))
    except ConfigError as error:
        raise ConfigError(error.message, _CORRECT) from error


def _value(text: str, change: str) -> Any:
    try:
        return read_yaml(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"setting {change!r} has a value that is not YAML: {error}", _HINT) from error


def _put(values: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for part in path[:-1]:
        inner = values.get(part)
        if inner is None:
            inner = values[part] = {}
        if not isinstance(inner, dict):
            raise ConfigError(f"setting {'.'.join(path)}: {part} is no section", _HINT)
        values = inner
    values[path[-1]] = value
