"""Survey of a data set: counts, labels, missing and unlisted files, beside the published totals.

Lists folders; opens no picture and no video.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fgbench.catalogue.inventory import Inventory
from fgbench.catalogue.listing import BAD_NAME, Listing, card_of, list_data
from fgbench.config import DatasetConfig, PrepareConfig
from fgbench.datasets._card import WHOLE, Variant
from fgbench.datasets._tree import ODD
from fgbench.media.kinds import is_picture, is_video
from fgbench.naming import counted, shown
from fgbench.notebook_lines import NotebookLines
from fgbench.records import SPLITS, ClipEntry
from fgbench.taxonomy import UNLABELLED, Ontology, UnknownLabelError, ontology

UNKNOWN = "(unknown)"
"""Row of counts for labels outside the label set, or missing labels where the set has classes."""

VOTED = "(by votes)"
"""Row of counts for entries whose label votes decide."""

UNCLASSED = "(without classes)"
"""Row of counts for all entries of a data set that has labels of action units alone."""

_SHOWN = 5
_ENTRY = ("entry", "entries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey(NotebookLines):
    """Survey of the folder of a data set.

    Attributes:
        recipe: Name of the recipe, which is that of the data set.
        title: Full name of the data set.
        root: The folder.
        scheme: Label set of the recipe.
        entries: Number of entries that the recipe takes.
        subjects: Number of named subjects.
        counts: Part to label to number of entries; parts are official ones, or ``all``.
        known: Part to number of entries as published; empty where unknown.
        known_labels: Part to label to number as published.
        known_subjects: Number of subjects as published.
        left_out: Label to number of entries outside the label set.
        problems: Reason to number of entries that the adapter reports as unusable.
        missing: Number of listed files that do not exist.
        missing_examples: A few of their paths.
        unlisted: Number of pictures, videos and folders of pictures beside listed ones that are not listed.
        unlisted_examples: A few of their paths.
        inventory: Inventory of the files below the folder.
        notes: Names that were unified, for people.
    """

    recipe: str
    title: str
    root: str
    scheme: str
    entries: int
    subjects: int
    counts: Mapping[str, Mapping[str, int]]
    known: Mapping[str, int]
    known_labels: Mapping[str, Mapping[str, int]]
    known_subjects: int | None
    left_out: Mapping[str, int]
    problems: Mapping[str, int]
    missing: int
    missing_examples: Sequence[str]
    unlisted: int
    unlisted_examples: Sequence[str]
    inventory: Inventory
    notes: Sequence[str]

    @property
    def differences(self) -> list[str]:
        """One line for people for every number that differs from the published one."""
        lines = []
        for part in sorted({*self.known, *self.known_labels}, key=_part_order):
            labels = self.known_labels.get(part, {})
            here = self.counts.get(part, {})
            wanted = sum(labels.values()) if labels else self.known[part]
            if sum(here.values()) != wanted:
                lines.append(f"{part}: {counted(sum(here.values()), *_ENTRY)}, published are {wanted:,}")
            lines += [
                f"{part}, {label}: {counted(here.get(label, 0), *_ENTRY)}, published are {count:,}"
                for label, count in labels.items()
                if here.get(label, 0) != count
            ]
        if self.known_subjects is not None and self.subjects != self.known_subjects:
            lines.append(f"{counted(self.subjects, 'subject')}, published are {self.known_subjects}")
        return lines

    def lines(self) -> list[str]:
        """Return lines of text: a table of labels and parts, then what differs."""
        from fgbench.catalogue.survey_lines import survey_lines

        return survey_lines(self)

    @property
    def is_complete(self) -> bool:
        """Whether no file is missing and no number differs."""
        return not (self.differences or self.missing or self.problems)


def survey(recipe: PrepareConfig, root: Path) -> Survey:
    """Survey a data set.

    Args:
        recipe: A recipe of ``fgbench prepare`` for it.
        root: Its folder.

    Raises:
        ConfigError: If the recipe names no adapter, variant or label set that there is.
        DatasetError: If the folder is not laid out as the adapter expects.
    """
    listing = list_data(recipe.dataset, root)
    card = card_of(recipe.dataset)
    variant = card.variant(recipe.dataset.variant)
    labels = listing.label_set
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    there = _entries(listing)
    for entry in there:
        counts[entry.split or WHOLE][_label(entry, labels)] += 1
    missing, unlisted = _files(there, root)
    published, by_label = _published(variant, ontology(listing.scheme), left_out=bool(listing.left_out))
    return Survey(
        recipe=recipe.name,
        title=card.title,
        root=str(root),
        scheme=labels.name,
        entries=len(there),
        subjects=len({entry.subject_id for entry in there} - {None}),
        counts={
            part: {
                label: counts[part][label]
                for label in (*listing.classes, VOTED, UNKNOWN, UNCLASSED)
                if counts[part][label]
            }
            for part in sorted(counts, key=_part_order)
        },
        known=published,
        known_labels=by_label,
        known_subjects=variant.subjects,
        left_out=listing.left_out,
        problems=dict(
            sorted(Counter(entry.problem[0] for entry in listing.entries if entry.problem).items())
        ),
        missing=len(missing),
        missing_examples=[shown(path) for path in missing[:_SHOWN]],
        unlisted=len(unlisted),
        unlisted_examples=[shown(path) for path in unlisted[:_SHOWN]],
        inventory=listing.inventory,
        notes=listing.notes,
    )


def unlike_published(config: DatasetConfig, listing: Listing) -> dict[str, list[int]]:
    """Parts whose number of entries differs from the published one.

    Args:
        config: Section ``dataset`` of the recipe.
        listing: Listing of the recipe.

    Returns:
        Part to the actual number and the published one; empty where none is published.
    """
    variant = card_of(config).variant(config.variant)
    published, _ = _published(variant, ontology(listing.scheme), left_out=bool(listing.left_out))
    here = Counter(entry.split or WHOLE for entry in _entries(listing))
    return {
        part: [here[part], count]
        for part, count in sorted(published.items(), key=lambda item: _part_order(item[0]))
        if here[part] != count
    }


def _entries(listing: Listing) -> list[ClipEntry]:
    """Entries of the data set, without those for items that are not files or have bad names."""
    return [
        entry for entry in listing.entries if not entry.problem or entry.problem[0] not in {*ODD, BAD_NAME}
    ]


def _part_order(part: str) -> tuple[int, str]:
    return (SPLITS.index(part) if part in SPLITS else len(SPLITS), part)


def _label(entry: ClipEntry, labels: Ontology) -> str:
    if labels.name == UNLABELLED:
        return UNCLASSED
    if entry.votes:
        return VOTED
    try:
        return labels.find(entry.label or "")
    except UnknownLabelError:
        return UNKNOWN


def _published(
    variant: Variant, labels: Ontology, *, left_out: bool
) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Published numbers for the labels that the recipe takes."""
    by_label = {
        part: {label: count for label, count in counts.items() if label in labels.labels}
        for part, counts in variant.classes.items()
    }
    totals = {part: count for part, count in variant.totals.items() if not left_out or part in by_label}
    return {part: sum(by_label.get(part, {}).values()) or count for part, count in totals.items()}, by_label


def _files(entries: Sequence[ClipEntry], root: Path) -> tuple[list[str], list[str]]:
    """Listed paths that do not exist, and unlisted media beside listed ones; each folder is read once."""
    listed: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        listed[folder].add(name)
    missing: list[str] = []
    unlisted: list[str] = []
    for folder, names in sorted(listed.items()):
        path = root / folder
        if path.is_file():  # rows of a table
            continue
        prefix = f"{folder}/" if folder else ""
        there = _media(path)
        missing += [f"{prefix}{name}" for name in sorted(names - there.keys()) if not _exists(path / name)]
        has_folders = any(there.get(name) for name in names)
        for name in sorted(there.keys() - names):
            is_folder = there[name]
            if is_folder and not (
                has_folders and f"{prefix}{name}" not in listed and _has_pictures(path / name)
            ):
                continue
            unlisted.append(f"{prefix}{name}")
    return missing, unlisted


def _media(folder: Path) -> dict[str, bool]:
    """Names of the pictures, videos and folders in a folder, and whether each is a folder."""
    try:
        with os.scandir(folder) as items:
            return {
                item.name: is_folder
                for item in items
                if not item.name.startswith(".")
                and ((is_folder := item.is_dir()) or is_picture(item.name) or is_video(item.name))
            }
    except OSError:
        return {}


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than the file system allows
        return False


def _has_pictures(folder: Path) -> bool:
    return any(not is_folder and is_picture(name) for name, is_folder in _media(folder).items())
