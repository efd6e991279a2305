"""Arguments of the Python API, checked before anything is done: one clear error for what cannot be meant."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from reprlib import Repr
from typing import Any

from fgbench.errors import ConfigError
from fgbench.remote.urls import refuse_url

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def shown(value: Any) -> str:
    """Return a value as messages show it: itself where that is short, else its type and size."""
    kind = type(value).__name__
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return _SHORT.repr(value)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{kind} of shape {shape}"
    return f"{kind} of {len(value)}" if isinstance(value, list | tuple | dict | set) else kind


def path_of(what: str, value: Any, *, example: str, takes_url: bool = False) -> Path:
    """Return a path that a user gives.

    Args:
        what: Name of the argument.
        value: A string or a path.
        example: Such a path, for the message.
        takes_url: Whether it may be the URL of a storage as well.

    Raises:
        ConfigError: If it is something else, empty, no name that a file can have, or a URL.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise ConfigError(f"{what} {shown(value)}, expected the path of a file or folder", f"e.g. {example}")
    if not takes_url:
        refuse_url(text)
    return Path(text)


def path_or_none(what: str, value: Any, *, example: str, takes_url: bool = False) -> Path | None:
    """Return a path that may be left out; arguments and errors as of :func:`path_of`."""
    return None if value is None else path_of(what, value, example=example, takes_url=takes_url)


def name_of(what: str, value: Any, *, example: str) -> str:
    """Return a name or a path as text.

    Raises:
        ConfigError: If it is neither, or empty.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise ConfigError(f"{what} {shown(value)}, expected a name", f"e.g. {example}")
    return text


def name_or_none(what: str, value: Any, *, example: str) -> str | None:
    """Return a name that may be left out; errors as of :func:`name_of`."""
    return None if value is None else name_of(what, value, example=example)


def is_whole(value: Any) -> bool:
    """Return whether something is a whole number, NumPy's included; truth values are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def whole(what: str, value: Any, *, least: int) -> int:
    """Return a whole number.

    Raises:
        ConfigError: If it is none, or too small.
    """
    if not is_whole(value) or int(value) < least:
        raise ConfigError(
            f"{what} {shown(value)}, expected a whole number from {least} on", f"e.g. {what}={max(least, 1)}"
        )
    return int(value)


def workers(value: Any) -> int:
    """Return a number of worker processes or threads, ``jobs``; ``None``: one per core.

    Raises:
        ConfigError: If it is no whole number from 1 on.
    """
    from fgbench.cores import n_cores

    return n_cores() if value is None else whole("jobs", value, least=1)


def share(what: str, value: Any) -> float:
    """Return a number above 0 and below 1.

    Raises:
        ConfigError: If it is another one, or none.
    """
    number = float(value) if isinstance(value, Real) else 0.0
    if 0 < number < 1:
        return number
    raise ConfigError(f"{what} {shown(value)}, expected more than 0 and less than 1", "e.g. 0.95")


def seconds(what: str, value: Any) -> float:
    """Return a number of seconds.

    Raises:
        ConfigError: If it is no number above 0.
    """
    number = float(value) if isinstance(value, Real) and value is not True else 0.0
    if number > 0:
        return number
    raise ConfigError(f"{what} {shown(value)}, expected seconds above 0", f"e.g. {what}=1.5")


def switch(what: str, value: Any) -> bool:
    """Return a truth value; numbers and texts are none.

    Raises:
        ConfigError: If it is something else.
    """
    if isinstance(value, bool) or (type(value).__name__ in ("bool", "bool_") and hasattr(value, "dtype")):
        return bool(value)
    raise ConfigError(f"{what} {shown(value)}, expected True or False", f"e.g. {what}=True")


def switch_or_none(what: str, value: Any) -> bool | None:
    """Return a truth value that may be left out; errors as of :func:`switch`."""
    return None if value is None else switch(what, value)


def two_names(what: str, value: Any, *, example: str) -> tuple[str, str] | None:
    """Return two names that may be left out.

    Raises:
        ConfigError: If they are something else.
    """
    if value is None:
        return None
    if isinstance(value, list | tuple) and len(value) == 2 and all(isinstance(one, str) for one in value):
        return value[0], value[1]
    raise ConfigError(f"{what} {shown(value)}, expected two names", f"e.g. {example}")


def pairs(what: str, value: Any, *, example: str) -> dict[str, Any]:
    """Return named values; ``None`` has none.

    Args:
        what: Name of the argument.
        value: A mapping with names as keys.
        example: One, for the message.

    Raises:
        ConfigError: If it is no mapping, or a key is no name.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) and key.strip() for key in value):
        raise ConfigError(f"{what} {shown(value)}, expected a dict with names as keys", f"e.g. {example}")
    return dict(value)


def names_to_names(what: str, value: Any, *, example: str) -> dict[str, str]:
    """Return names to names; ``None`` has none; arguments and errors as of :func:`pairs`."""
    return {
        name: name_of(f"{what}[{name!r}]", one, example=example)
        for name, one in pairs(what, value, example=example).items()
    }


def one_of(what: str, value: Any, allowed: Sequence[str]) -> str:
    """Return one of some words.

    Raises:
        ConfigError: If it is none of them.
    """
    if not isinstance(value, str) or value not in allowed:
        raise ConfigError(
            f"{what} {shown(value)}, expected one of {', '.join(allowed)}", f"e.g. {what}={allowed[0]!r}"
        )
    return value


def fold_of(value: Any) -> str | None:
    """Return the name of a fold, which may be given as a number; ``None`` stays.

    Raises:
        ConfigError: If it is neither.
    """
    if value is None:
        return None
    if is_whole(value):
        return str(int(value))
    return name_of("fold", value, example="fold=1, one of work.folds")


def paths_of(what: str, value: Any, *, example: str) -> list[Path]:
    """Return several paths; one is a list of it.

    Raises:
        ConfigError: If they are something else.
    """
    listed = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(listed, list | tuple):
        return [path_of(what, listed, example=example)]
    return [path_of(f"{what}[{number}]", one, example=example) for number, one in enumerate(listed)]


def names_of(what: str, value: Any, *, example: str) -> list[str] | None:
    """Return several names; one is a list of it, ``None`` stays.

    Raises:
        ConfigError: If they are something else.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return [value]
    listed = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(listed, list | tuple) or not all(isinstance(one, str) for one in listed):
        raise ConfigError(f"{what} {shown(value)}, expected a list of names", f"e.g. {example}")
    return list(listed)
