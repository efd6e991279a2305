"""Cases of a test that take minutes, as others of the same test do not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def with_chains(values: Iterable[Any], *chains: Any) -> list[Any]:
    """Values of a parameter, some of which are left to ``make test-all``."""
    return [pytest.param(value, marks=[pytest.mark.chain] if value in chains else []) for value in values]
