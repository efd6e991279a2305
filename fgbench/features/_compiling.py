"""Compilation of the kernels of this package by Numba."""

from __future__ import annotations

from typing import Any

import numba as nb

_OPTIONS: dict[str, Any] = {
    "nogil": True,
    "fastmath": {"contract", "nsz", "nnan", "ninf", "arcp"},
    "error_model": "numpy",
}


def compiled(function: Any, *, is_kept: bool) -> Any:
    """Compile with Numba on first use; the machine code runs without the GIL.

    Args:
        function: Function that Numba can compile.
        is_kept: Whether machine code is kept on disk. If neither the package's folder nor the user's cache
            folder can be written, every process compiles anew.
    """
    if is_kept:
        try:
            return nb.njit(cache=True, **_OPTIONS)(function)
        except RuntimeError:  # Numba: "cannot cache function: no locator available"
            pass
    return nb.njit(**_OPTIONS)(function)
