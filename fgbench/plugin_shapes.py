"""Names that the module of a plugin has to bind, checked when one of another package is loaded.

Its behaviour is checked by `fgbench.contracts`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

_FUNCTION = "a function"

SHAPES: Mapping[str, Mapping[str, str]] = {
    "datasets": {"CARD": "a fgbench.datasets:Card", "list_clips": _FUNCTION},
    "decoders": {"open_reader": _FUNCTION, "digest": _FUNCTION},
    "detectors": {"open_detector": _FUNCTION},
    "engines": {"start": _FUNCTION},
    "figures": {"build": _FUNCTION},
    "methods": {"RECIPE": "a subclass of fgbench.config:Section", "NEEDS": "a tuple", "run": _FUNCTION},
    "stages": {
        "STAGE": "a fgbench.preparation.pipeline:Stage",
        "CONFIG": "a subclass of fgbench.config:Section",
        "SCHEMA": "a schema",
    },
    "tables": {"build": _FUNCTION},
}
"""Kind to the names that a module has to bind, and their types.

A class is named by its module, which is imported only when there is a plugin to compare.
"""

_OPTIONAL: Mapping[str, Mapping[str, str]] = {
    "datasets": {"RECIPES": "a dict", "notes": _FUNCTION, "unit_source": _FUNCTION},
    "engines": {"TRIAL": "a dict"},
    "methods": {"RECIPES": "a dict", "DEVICE": "a bool", "OPTIONS": "a dict", "check_options": _FUNCTION},
    "figures": {"build_of": _FUNCTION},
    "tables": {"build_of": _FUNCTION},
}


def shape_fault(kind: str, module: ModuleType) -> str:
    """Message on a name that the module of a plugin lacks, or its type; empty if there is no fault.

    Args:
        kind: Kind of plugin.
        module: Its module.
    """
    for name, wanted in SHAPES[kind].items():
        if not hasattr(module, name):
            return f"{module.__name__} has no {name}, expected {_dotted(wanted)}"
    for name, wanted in (*SHAPES[kind].items(), *_OPTIONAL.get(kind, {}).items()):
        if hasattr(module, name) and not _is(getattr(module, name), wanted):
            actual = type(getattr(module, name)).__name__
            return f"{name} of {module.__name__} is of type {actual}, expected {_dotted(wanted)}"
    return ""


def _dotted(wanted: str) -> str:
    return wanted.replace(":", ".")


def _is(value: Any, wanted: str) -> bool:
    if wanted == _FUNCTION:
        return callable(value)
    if wanted == "a schema":
        return callable(value) or hasattr(value, "names")
    if wanted in ("a tuple", "a dict", "a bool"):
        return isinstance(value, {"a tuple": tuple, "a dict": dict, "a bool": bool}[wanted])
    module, name = wanted.split()[-1].split(":")
    model = getattr(importlib.import_module(module), name)
    if wanted.startswith("a subclass"):
        return isinstance(value, type) and issubclass(value, model)
    return isinstance(value, model)
