"""Names of the arguments that functions of plugins take."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def signature_fault(function: Callable[..., Any], *wanted: list[str]) -> list[str]:
    """A message if a function takes other arguments than wanted; else empty.

    Args:
        function: The function.
        wanted: Lists of names, one of which it has to match.
    """
    names_taken = list(inspect.signature(function).parameters)
    if names_taken in wanted:
        return []
    ways = " or ".join(f"({', '.join(names)})" for names in wanted)
    return [f"{function.__name__} takes ({', '.join(names_taken)}), expected {ways}"]
