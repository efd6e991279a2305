"""Values of an audit: clips, the two sides that are compared, and a leak between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fgbench.audit.pictures import Pictures

Kind = Literal[
    "same_clip",
    "same_file",
    "same_picture",
    "near_duplicate",
    "same_subject",
    "same_source",
    "parent_elsewhere",
    "parent_missing",
]
"""Kind of leak. ``parent_elsewhere`` and ``parent_missing`` concern augmented copies."""

KINDS: Mapping[Kind, str] = {
    "same_clip": "clips in both parts",
    "same_file": "clips whose files are equal",
    "same_picture": "clips with equal pictures",
    "near_duplicate": "clips with nearly equal faces",
    "same_subject": "subjects in both parts",
    "same_source": "sources in both parts",
    "parent_elsewhere": "copies whose original is in another part",
    "parent_missing": "copies whose original is missing",
}
"""Kinds in the order of reports, each with the name of what is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedClip:
    """Columns of a clip that an audit reads.

    Attributes:
        clip_id: Its id.
        part: ``train``, ``val`` or ``test``.
        sha256: Digest of its file.
        subject_id: Subject shown; ``None`` if unknown.
        source_id: Film or session; ``None`` if unknown.
        label: Class, for display.
    """

    clip_id: str
    part: str
    sha256: str
    subject_id: str | None
    source_id: str | None
    label: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of two parts that are compared.

    Attributes:
        name: Name of the part, for people.
        clips: Its clips.
        pictures: Pictures of these clips.
    """

    name: str
    clips: Sequence[AuditedClip]
    pictures: Pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A leak between two parts.

    Attributes:
        kind: Kind of leak.
        first_part: Name of the part that learns, or is chosen on.
        second_part: Name of the part that is tested on (between train and val: val).
        first: Id in the first part: of a clip, subject, source, or picture (of augmented copies).
        second: Id in the second part; empty if there is none.
        allowed: Whether the recipe does not keep parts apart by this, so that it is reported only.
        detail: Details for people.
        first_clips: Clips of the first part to be dropped.
        correlation: Correlation of near duplicates after alignment; ``None`` for other kinds.
        pictures: Ids of a picture of each part to show; ``None`` if there are none.
        partners: Clips of the second part that are equal to ``first`` (files and pictures) or to ``second``
            (near duplicates): the first :data:`fgbench.audit.part_leaks.PARTNERS`, including ``second``.
        n_partners: Number of all partners.
    """

    kind: Kind
    first_part: str
    second_part: str
    first: str
    second: str
    allowed: bool
    detail: str
    first_clips: Sequence[str]
    correlation: float | None = None
    pictures: tuple[str, str] | None = None
    partners: Sequence[str] = ()
    n_partners: int = 0
