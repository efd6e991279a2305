"""Packages that fgbench asks for, by its own metadata, and whether those that are installed will do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from typing import TYPE_CHECKING

from fgbench.provenance import installed_version

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_OF_CONTRIBUTORS = ("dev", "docs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """A package that fgbench asks for.

    Attributes:
        package: Its name.
        range: Versions that will do, e.g. ``">=17,<19"``.
        extra: The extra that installs it; empty if the core asks for it.
        installed: The version that is here; ``None`` if there is none.
        is_met: Whether that will do; so does none, which another package may stand for, as opencv-python does
            for opencv-python-headless.
    """

    package: str
    range: str
    extra: str
    installed: str | None
    is_met: bool

    @property
    def state(self) -> str:
        """The version, with the command that mends what is missing or will not do."""
        name = f"fgbench[{self.extra}]" if self.extra else "fgbench"
        if self.installed is None:
            return f"not installed (pip install '{name}')"
        if not self.is_met:
            return (
                f"{self.installed}, but {name} needs {self.range} (pip install '{self.package}{self.range}')"
            )
        return self.installed


def required_packages() -> list[Required]:
    """Packages that users may install, in the order of the metadata, each with the smallest of its extras.

    Empty where fgbench is run without being installed.
    """
    from packaging.requirements import Requirement

    try:
        about = metadata("fgbench")
    except PackageNotFoundError:
        return []
    extras = ["", *(about.get_all("Provides-Extra") or ())]
    wanted = [Requirement(text) for text in about.get_all("Requires-Dist") or ()]
    asked = [
        (extra, one)
        for one in wanted
        for extra in extras
        if one.name != "fgbench" and (one.marker is None or one.marker.evaluate({"extra": extra}))
    ]
    sizes = Counter(extra for extra, _ in asked if extra)  # 0 of the core
    chosen: dict[str, tuple[str, Requirement]] = {}
    for extra, one in asked:
        if extra in _OF_CONTRIBUTORS:
            continue
        if one.name not in chosen or sizes[extra] < sizes[chosen[one.name][0]]:
            chosen[one.name] = extra, one
    return [_required(one, extra) for extra, one in chosen.values()]


def _required(requirement: Requirement, extra: str) -> Required:
    installed = installed_version(requirement.name)
    return Required(
        package=requirement.name,
        range=",".join(sorted(map(str, requirement.specifier), reverse=True)),
        extra=extra,
        installed=installed,
        is_met=installed is None or requirement.specifier.contains(installed, prereleases=True),
    )
