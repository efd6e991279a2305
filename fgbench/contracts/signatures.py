"""Names of the arguments that functions of plugins take."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def signature_fault(function: Callable[..., Any], *wanted: list[str]) -> list[str]:
    """A line if a function takes other arguments than wanted.

    Args:
        function: The function.
        wanted: Lists of names, of which it has to have one.
    """
    found = list(inspect.signature(function).parameters)
    if found in wanted:
        return []
    ways = " or ".join(f"({', '.join(names)})" for names in wanted)
    return [f"{function.__name__} takes ({', '.join(found)}), expected {ways}"]
