"""What an adapter tells of its data set: a card of facts that a user needs before and after asking for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fgbench.errors import ConfigError

WHOLE = "all"
"""Name of the only part of a data set without official parts."""

Kind = Literal["image", "video", "au"]
"""What is labelled: pictures, clips, or the action units of frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One benchmark of a data set: a release, a set of labels, a choice of recordings.

    Attributes:
        name: As recipes name it (``dataset.variant``); a card's first one where they name none.
        scheme: Label set of what is listed (`fgbench.taxonomy.ontology`). A recipe may name a smaller one:
            what it lacks is left out and counted.
        about: What it is, in a few words.
        totals: Official part, or :data:`WHOLE`, to its number of entries; empty where it is not known.
        classes: Part to label to number, where that is known.
        subjects: Number of persons, where that is known.
    """

    name: str = ""
    scheme: str
    about: str = ""
    totals: Mapping[str, int] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    subjects: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A data set in short.

    Attributes:
        title: Full name.
        kind: What is labelled.
        licence: Terms of use in one line.
        citation: The publication to cite.
        request: Where and how to ask for it, in words.
        protocol: What is trained on and what is tested.
        layouts: Folder layouts that are read, one line each.
        variants: The benchmarks, the usual one first; at least one.
        totals_source: Where the known totals come from.
        unconfirmed: Facts that could not be confirmed in a public source.
        is_own: Whether anybody's own data are laid out so: people of two of them who have one name are two.
        people: Adapter of the data set whose people these are too, under the same names; empty: its own.
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
        """What tables call it: its title without what stands in brackets."""
        return self.title.partition(" (")[0]

    def variant(self, name: str = "") -> Variant:
        """A variant by its name; the first for an empty one.

        Raises:
            ConfigError: If there is no such variant.
        """
        for item in self.variants:
            if name in (item.name, ""):
                return item
        known = ", ".join(item.name for item in self.variants)
        raise ConfigError(f"{self.title} has no variant {name!r}", f"dataset.variant may be: {known}")
