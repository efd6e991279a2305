"""Action units of each of the 33 classes, from ``manifests/facs.csv``.

The recipes follow EMFACS, Du, Tao and Martinez (2014), Cordaro et al. (2018) and Keltner et al. (2019); the
file gives the source of each. They are prototypes for drawing, not a claim that people show these classes so.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from fgbench.resources import resource
from fgbench.synthetic.action_units import Activation, channels_of, neutral


@dataclass(frozen=True, slots=True)
class Drive:
    """One action unit of a recipe.

    Attributes:
        au: Number of the action unit.
        side: ``"L"``, ``"R"`` (of the person) or ``"B"`` for both.
        intensity: 0 to 1 at the apex.
    """

    au: int
    side: str
    intensity: float


@lru_cache(maxsize=1)
def recipes() -> Mapping[str, tuple[Drive, ...]]:
    """Class name to its action units, classes in the order of their class numbers."""
    drives_of: dict[str, list[Drive]] = defaultdict(list)
    with resource("manifests", "facs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            drives_of[row["class"]].append(Drive(int(row["au"]), row["side"], float(row["intensity"])))
    return MappingProxyType({name: tuple(drives) for name, drives in drives_of.items()})


def apex(label: str) -> Activation:
    """Activation of a class at its apex, without any variation.

    Raises:
        KeyError: If there is no such class.
    """
    result = neutral()
    for drive in recipes()[label]:
        result[list(channels_of(drive.au, drive.side))] = drive.intensity
    return result


def describe(label: str) -> str:
    """The recipe in FACS notation, e.g. ``"R12+R14+4"``."""
    return "+".join(f"{'' if drive.side == 'B' else drive.side}{drive.au}" for drive in recipes()[label])
