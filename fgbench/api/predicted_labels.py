"""Predictions, labels and classes as ``fgbench.score`` takes them: lists, arrays or tables, checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.api.arguments import shown
from fgbench.errors import ConfigError
from fgbench.naming import counted

_NO_NAMES = (list, tuple, dict, set, np.ndarray)


def _listed(what: str, values: Any) -> list[Any]:
    """Return values one by one.

    Raises:
        ConfigError: If they are a single one, or no row of values.
    """
    if isinstance(values, str | bytes) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        raise ConfigError(
            f"{what} {shown(values)}, a single {type(values).__name__}, expected one per sample",
            "give a list, an array or a column of a table",
        )
    if isinstance(values, Mapping | Set) or hasattr(values, "columns"):
        raise ConfigError(
            f"{what} are {shown(values)}, expected one per sample in their order",
            "give a list, an array or a column of a table",
        )
    return list(values.tolist() if hasattr(values, "tolist") else values)


def _is_missing(value: Any) -> bool:
    """Return whether there is no value: ``None``, NaN, or what pandas has for them."""
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _word(value: Any, what: str) -> str:
    """Return the name of a class or cluster: whole numbers are the same with and without a point, as a column
    of them has one where a value is missing.

    Raises:
        ConfigError: If it is no text or number.
    """
    if isinstance(value, bytes) or not hasattr(value, "__hash__") or isinstance(value, _NO_NAMES):
        raise ConfigError(f"{what} have {shown(value)} among them, expected names", "give a text for each")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def words(what: str, values: Any) -> list[str]:
    """Return names of which none may be missing.

    Raises:
        ConfigError: If one is.
    """
    listed = _listed(what, values)
    if missing := [number for number, one in enumerate(listed) if _is_missing(one)]:
        raise ConfigError(
            f"{what} have no value at {counted(len(missing), 'place')}, the first is {missing[0]}",
            "leave these samples out"
            if what == "labels"
            else "give each a name of its own, e.g. that of its clip",
        )
    return [_word(one, what) for one in listed]


def class_names(classes: Any) -> tuple[str, ...]:
    """Return names of classes, each once.

    Raises:
        ConfigError: If one is missing, or there twice.
    """
    names = tuple(words("classes", classes))
    if twice := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"classes have {twice[0]!r} twice", "name each class once")
    return names


def predicted_classes(
    predictions: Any, truth: list[str], classes: Sequence[str] | None
) -> tuple[list[str | None], tuple[str, ...]]:
    """Return predicted classes, and the names of all classes.

    Args:
        predictions: As :func:`fgbench.score` takes them.
        truth: N true classes.
        classes: C names, or ``None``.

    Raises:
        ConfigError: If they are neither N classes nor (N, C) probabilities of named classes.
    """
    columns = getattr(predictions, "columns", None)
    names = None if classes is None else class_names(classes)
    if columns is not None:
        own = class_names(columns)
        names = own if names is None else names
        if sorted(own) != sorted(names):
            raise ConfigError(
                f"a table of probabilities with the columns {', '.join(own)}, expected {', '.join(names)}",
                "give a column per class",
            )
        predictions = predictions.to_numpy()[:, [own.index(name) for name in names]]
    rows = predictions if isinstance(predictions, np.ndarray) else _listed("predictions", predictions)
    is_table = rows.ndim != 1 if isinstance(rows, np.ndarray) else any(map(_is_row, rows))
    if is_table:
        shares = _shares(rows, names)
        return [_likeliest(row, names) for row in shares], names or ()
    named = [None if _is_missing(one) else _word(one, "predictions") for one in _listed("predictions", rows)]
    return named, names or tuple(sorted({*truth, *(one for one in named if one is not None)}))


def _is_row(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray)


def _shares(rows: Any, names: tuple[str, ...] | None) -> npt.NDArray[np.float64]:
    """Return probabilities, (N, C)."""
    try:
        shares = np.asarray(rows, np.float64)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"predictions are rows that are no table of numbers: {error}",
            "give one class per sample, or probabilities of all classes for each",
        ) from error
    if shares.ndim != 2:
        raise ConfigError(
            f"predictions of shape {shares.shape}, expected (N,) classes or (N, C) probabilities",
            "give one class per sample, or probabilities of all classes for each",
        )
    if names is None or shares.shape[1] != len(names):
        n_named = "none" if names is None else len(names)
        raise ConfigError(
            f"probabilities of {shares.shape[1]} classes, and {n_named} named",
            "name them in order: classes=[...]",
        )
    return shares


def _likeliest(row: npt.NDArray[np.float64], names: tuple[str, ...] | None) -> str | None:
    return None if names is None or np.isnan(row).any() else names[int(row.argmax())]
