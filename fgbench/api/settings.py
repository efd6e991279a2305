"""Settings of recipes that a user changes, as the command line takes them."""

from __future__ import annotations

import json
import os
from typing import Any

from fgbench.api.arguments import names_of, pairs, shown
from fgbench.errors import ConfigError

_EXAMPLE = "settings={'optimiser.epochs': 3}"


def changes_of(what: str, value: Any) -> list[str]:
    """Return settings as ``section.field=value``, see :func:`fgbench.config.with_changes`.

    Args:
        what: Name of the argument.
        value: A dict of names and values; or texts that are such already; ``None`` has none.

    Raises:
        ConfigError: If they are neither.
    """
    if isinstance(value, str | list | tuple):
        return names_of(what, value, example=_EXAMPLE) or []
    return changes_of_pairs(what, value)


def changes_of_pairs(what: str, value: Any) -> list[str]:
    """Return settings as ``section.field=value``; JSON is YAML.

    Args:
        what: Name of the argument.
        value: A dict of names and values; ``None`` has none.

    Raises:
        ConfigError: If it is something else.
    """
    changes = []
    for key, setting in pairs(what, value, example=_EXAMPLE).items():
        try:
            changes.append(f"{key}={json.dumps(setting, default=_plain)}")
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"setting {key} is {shown(setting)}, expected a number, a text, True, False, None, a list or "
                "a dict",
                f"e.g. {_EXAMPLE}",
            ) from error
    return changes


def _plain(value: Any) -> Any:
    """Return numbers of NumPy and paths as JSON has them.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    raise TypeError(type(value).__name__)
