"""Names of the rules that settle votes: those of the modules in ``fgbench/preparation/settling``.

Lists the folder; imports none of them.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from pkgutil import iter_modules

_FOLDER = Path(__file__).parents[1] / "preparation" / "settling"


def rule_names() -> list[str]:
    """Names of all rules as recipes write them, sorted."""
    modules = (module.name for module in iter_modules([str(_FOLDER)]))
    return sorted(name.replace("_", "-") for name in modules if not name.startswith("_"))


def checked_rule(name: str) -> str:
    """The name of a rule, as it is.

    Raises:
        ValueError: If there is no such rule.
    """
    known = rule_names()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise ValueError(f"unknown rule {name!r}; {meant}known: {', '.join(known)}")
    return name
