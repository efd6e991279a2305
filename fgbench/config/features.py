"""Sections of features that plugins of other packages compute: key ``features`` of recipes of ``prepare``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from fgbench import plugins
from fgbench.config.sections import Section
from fgbench.errors import ConfigError


def feature_section(name: str, given: Mapping[str, Any]) -> Section:
    """Section of a stage of another package, checked by that stage's own model.

    Args:
        name: Name of the stage, with underscores.
        given: Its keys in the recipe.

    Raises:
        ConfigError: If there is no such stage of another package, or it cannot be used.
        ValueError: If the section is not valid.
    """
    if name in plugins.own_names("stages"):
        raise ValueError(f"features.{name} is a stage of fgbench's own, expected its section {name}")
    try:
        model: type[Section] = plugins.load("stages", name).CONFIG
    except plugins.PluginError:
        raise
    except ConfigError as error:
        others = ", ".join(plugins.other_names("stages")) or "none"
        raise ConfigError(
            f"the recipe has features.{name}, and no installed package brings such a stage",
            f"install the package that does; stages of installed packages: {others}",
        ) from error
    try:
        return model.model_validate_json(json.dumps(dict(given)), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, ("features", name, *first["loc"])))
        raise ValueError(f"{where}: {first['msg']}") from error


def checked_features(given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Sections of all features with the defaults of their keys, sorted; hyphens in names become underscores.

    Args:
        given: Name to keys.

    Raises:
        ConfigError: As :func:`feature_section`.
        ValueError: Likewise.
    """
    named = {name.replace("-", "_"): keys for name, keys in given.items()}
    return {name: feature_section(name, keys).model_dump(mode="json") for name, keys in sorted(named.items())}
