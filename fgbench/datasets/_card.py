"""Description of a data set by its adapter: facts that a user needs before and after requesting it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fgbench.errors import ConfigError

WHOLE = "all"
"""Name of the only part of a data set without official parts."""

Kind = Literal["image", "video", "au"]
"""Labelled unit: pictures, clips, or action units of frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One benchmark of a data set: a release, a set of labels, a choice of recordings.

    Attributes:
        name: Name in recipes (``dataset.variant``); a card's first one where they name none.
        scheme: Label set of the entries (`fgbench.taxonomy.ontology`). A recipe may name a smaller one:
            entries whose labels it lacks are left out and counted.
        about: Short description.
        totals: Official part, or :data:`WHOLE`, to its number of entries; empty if unknown.
        classes: Part to label to number, where known.
        subjects: Number of subjects, where known.
    """

    name: str = ""
    scheme: str
    about: str = ""
    totals: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    subjects: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Summary of a data set.

    Attributes:
        title: Full name.
        kind: Labelled unit.
        licence: Terms of use in one line.
        citation: The publication to cite.
        request: Where and how to request it, in words.
        protocol: Parts for training and for test.
        layouts: Supported folder layouts, one line each.
        variants: The benchmarks, the usual one first; at least one.
        totals_source: Source of the known totals.
        unconfirmed: Facts that could not be confirmed in a public source.
        is_own: Whether users lay out their own data this way: subjects of the same name in two such data sets
            are different people.
        people: Adapter of a data set with the same subjects under the same names; empty if there is none.
    """

    title: str
    kind: Kind
    licence: str
    citation: str
    request: str
    protocol: str
    layouts: tuple[str, ...]
    variants: tuple[Variant, ...]
    totals_source: str = ""
    unconfirmed: tuple[str, ...] = ()
    is_own: bool = False
    people: str = ""

    @property
    def short(self) -> str:
        """Title in tables: the full one without the part in brackets."""
        return self.title.partition(" (")[0]

    def variant(self, name: str = "") -> Variant:
        """Return a variant by its name; the first for an empty one.

        Raises:
            ConfigError: If there is no such variant.
        """
        for item in self.variants:
            if name in (item.name, ""):
                return item
        names = ", ".join(item.name for item in self.variants)
        raise ConfigError(f"{self.title} has no variant {name!r}", f"dataset.variant may be: {names}")
