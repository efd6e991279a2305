"""Functions that callers hand in to hear of the work while it goes on."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with a name, how much of it is done, and of how much."""

Note = Callable[[str], None]
"""Called with a sentence for the user."""


def ignore(*_: object) -> None:
    """Do nothing: what is called where nobody listens."""
