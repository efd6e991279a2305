"""``fgbench.check_plugin``: plug-ins tried against the contract of their kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fgbench.api.arguments import name_of

if TYPE_CHECKING:
    from fgbench.contracts import Checked


def check_plugin(name: str) -> list[Checked]:
    """Return the results of a check of a plug-in, of fgbench or of another package: one for each kind that
    has one of this name.

    It is loaded and called with small inputs; it needs no data set, and nothing is left behind.

    Args:
        name: Its name, or kind and name as ``"datasets/mine"``.

    Raises:
        ConfigError: If there is no such kind, or no plug-in of this name.
    """
    from fgbench.contracts import check, kinds_named

    name = name_of("name", name, example="'datasets/mine'")
    return [check(kind, name.rpartition("/")[2]) for kind in kinds_named(name)]


def checked_lines(checked: Sequence[Checked]) -> list[str]:
    """Return results as lines of text: a line per plug-in, its faults below."""
    lines = []
    for one in checked:
        package = f" of the package {one.package}" if one.package else ""
        lines.append(f"{one.kind}/{one.name}{package}: {'not as it should be' if one.faults else 'ok'}")
        lines += [f"  {fault}" for fault in one.faults]
    return lines


def require_sound(checked: Sequence[Checked], names: Sequence[str]) -> None:
    """Do nothing where no plug-in has a fault.

    Args:
        checked: Results of :func:`check_plugin`.
        names: Names as they were given, for the message.

    Raises:
        ConfigError: If one has.
    """
    from fgbench.errors import ConfigError
    from fgbench.naming import counted

    n_faults = sum(len(one.faults) for one in checked)
    if n_faults:
        raise ConfigError(
            f"{', '.join(names)}: {counted(n_faults, 'fault')}",
            "see CONTRIBUTING.md for what its kind has to keep to",
        )
