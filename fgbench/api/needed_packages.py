"""Packages that networks need, looked for before anything is begun."""

from __future__ import annotations


def require_torch() -> None:
    """Do nothing where networks can run; imports none of what they need.

    Raises:
        DependencyError: If a package is not installed.
    """
    from importlib.util import find_spec

    from fgbench.errors import package_missing

    missing = [name for name in ("torch", "safetensors") if find_spec(name) is None]
    if missing:
        raise package_missing("networks need", missing[0])
