"""Entries that a recipe takes from a data set's adapter, in the recipe's label set.

Calls the adapter, which reads the data set's tables and folders; opens no picture and no video.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fgbench import plugins
from fgbench.catalogue.carried_listing import adapter_of
from fgbench.catalogue.classes import Classes, choose_classes, with_known_answers
from fgbench.catalogue.diagnosis import with_what_is_there
from fgbench.catalogue.inventory import Inventory, take_inventory
from fgbench.catalogue.listed_annotators import with_annotators
from fgbench.catalogue.pseudonyms import SALT, Names, Naming
from fgbench.config import DatasetConfig, PrepareConfig, load_prepare, recipe_names
from fgbench.config.named_recipes import packed_names
from fgbench.datasets._card import Card
from fgbench.datasets._tables import tables_read
from fgbench.datasets._tree import ODD
from fgbench.errors import ConfigError, DatasetError
from fgbench.naming import first_few, is_text, one_spelling, several_spellings, shown, tidy
from fgbench.records import PEOPLE, ClipEntry, UnitSource
from fgbench.taxonomy import Ontology, UnknownLabelError, free_classes, ontology, with_classes

_HIDDEN = Naming()
BAD_NAME = "bad_name"
"""Reason of an entry whose file name is not text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Entries of a data set.

    Attributes:
        entries: Entries that the recipe takes, in the adapter's order, each id once.
        scheme: Name of the label set.
        classes: The ordered labels; empty where the data have none.
        upper: Label to upper class, where the recipe groups its own classes.
        are_listed: Whether the recipe lists the classes.
        are_found: Whether the classes are those that occur.
        units: Origin of its labels of action units.
        annotators: Form of the names of annotators.
        left_out: Label to number of entries whose label is not in the recipe's label set.
        inventory: Inventory of the files below the root.
        notes: Lines for people: names unified although spelled in several ways, files that the adapter
            skipped, the classes that were chosen.
    """

    entries: tuple[ClipEntry, ...]
    scheme: str
    classes: tuple[str, ...]
    upper: Mapping[str, str] = field(default_factory=dict)
    are_listed: bool = False
    are_found: bool = False
    units: UnitSource = PEOPLE
    annotators: Names = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    inventory: Inventory
    notes: tuple[str, ...] = ()

    @property
    def label_set(self) -> Ontology:
        """Label set in which labels are looked up, with the data set's own spellings."""
        return with_classes(ontology(self.scheme), self.classes)


def list_data(config: DatasetConfig, root: Path, naming: Naming = _HIDDEN) -> Listing:
    """List the entries that a recipe takes from a data set.

    If the recipe's label set is a subset of the adapter's, or the recipe lists its classes, entries with
    other labels are left out and counted: so CK+ is used with 6, 7 or 8 classes. Any other label outside the
    set is left to ``ingest`` to reject, as are pipes, devices and dangling links anywhere below the root, and
    files whose names are not text: each becomes an entry with a problem.

    Names are normalised (:mod:`fgbench.naming`): subjects and sources whose names differ only in case or
    blanks are one, with the spelling that sorts first. Annotators are asked about where two names may be one
    person (:mod:`fgbench.catalogue.one_person`), and are listed by pseudonyms; those of a list that the data
    set carries stay as they are.

    Args:
        config: Section ``dataset`` of the recipe.
        root: Root of the data set.
        naming: Rule by which annotators are named.

    Raises:
        ConfigError: If there is no such adapter, variant or label set.
        DatasetError: If the data set is not laid out as its adapter expects, or lists nothing; if two names
            of annotators may be one person, or its salt is damaged.
    """
    adapter = adapter_of(config, root)
    card: Card = adapter.CARD
    variant = card.variant(config.variant)
    takes_variant = "variant" in inspect.signature(adapter.list_clips).parameters
    with tables_read() as tables:
        try:
            with plugins.explained("datasets", config.adapter):
                listed = _listed(
                    adapter.list_clips(root, variant.name) if takes_variant else adapter.list_clips(root)
                )
        except DatasetError as error:
            raise with_what_is_there(error, root, config.adapter) from error
        listed, annotators, annotator_notes = with_annotators(listed, root, naming)
    if not listed:
        raise DatasetError(f"{root} lists no clips", f"expected layout: {'; or '.join(card.layouts)}")
    with plugins.explained("datasets", config.adapter):
        adapter_notes = adapter.notes(root) if hasattr(adapter, "notes") else []
    within = {
        path.relative_to(root).as_posix() for path in (*tables, root / SALT) if path.is_relative_to(root)
    }
    inventory = take_inventory(root, [entry.path for entry in listed], within)
    named, notes = _named(listed)
    classes = choose_classes(config, named)
    named = with_known_answers(named, classes)
    entries, left_out = _taken(_unique([*named, *_odd(inventory.odd)]), ontology(variant.scheme), classes)
    if not entries:
        raise DatasetError(
            f"{root} has no entry with a label of {classes.scheme}, it has: {first_few(sorted(left_out))}",
            f"choose another recipe, or list other classes; these are: {first_few(classes.labels, 40)}",
        )
    units = unit_source(adapter, root, variant.name)
    return Listing(
        entries=tuple(entries),
        scheme=classes.scheme,
        classes=classes.labels,
        upper=classes.upper,
        are_listed=classes.are_listed,
        are_found=classes.are_found,
        units=units,
        annotators=annotators,
        left_out=dict(sorted(left_out.items())),
        inventory=inventory,
        notes=(*adapter_notes, *annotator_notes, *notes, *classes.notes, *units.lines),
    )


def _listed(entries: Any) -> list[ClipEntry]:
    """Check the entries that an adapter lists.

    Raises:
        TypeError: If something else than an entry is among them.
    """
    wrong = [entry for entry in entries if not isinstance(entry, ClipEntry)]
    if wrong:
        raise TypeError(f"list_clips gave {type(wrong[0]).__name__}, expected fgbench.records.ClipEntry")
    return list(entries)


def unit_source(adapter: Any, root: Path, variant: str) -> UnitSource:
    """Return the origin of a data set's labels of action units, as given by its adapter.

    Args:
        adapter: Plugin of the data set, or what takes its place.
        root: Its root.
        variant: Name of the variant; empty for the default.

    Raises:
        ConfigError: If there is no such variant.
        DatasetError: If its table cannot be read.
    """
    if not hasattr(adapter, "unit_source"):
        return PEOPLE
    takes_variant = "variant" in inspect.signature(adapter.unit_source).parameters
    name = adapter.CARD.variant(variant).name
    source: UnitSource = adapter.unit_source(root, name) if takes_variant else adapter.unit_source(root)
    return source


def card_of(config: DatasetConfig) -> Card:
    """Card of the adapter that a recipe names.

    Raises:
        ConfigError: If there is no such adapter.
    """
    card: Card = plugins.load("datasets", config.adapter).CARD
    return card


def recipes_by_adapter() -> dict[str, list[PrepareConfig]]:
    """Adapter, with hyphens, to the packed recipes that use it; the recipe of the adapter's name first."""
    by_adapter: dict[str, list[PrepareConfig]] = {
        name.replace("_", "-"): [] for name in plugins.loaded("datasets")
    }
    for name in recipe_names():
        try:
            recipe = load_prepare(name)
        except ConfigError as error:
            if name in packed_names("prepare"):
                raise
            plugins.leave_out(error.message)
            continue
        adapter = recipe.dataset.adapter.replace("_", "-")
        if not recipe.dataset.synthetic and adapter in by_adapter:
            by_adapter[adapter].append(recipe)
    return {
        adapter: sorted(recipes, key=lambda recipe: (recipe.name != adapter, recipe.name))
        for adapter, recipes in by_adapter.items()
    }


def _odd(odd: Mapping[str, str]) -> list[ClipEntry]:
    return [
        ClipEntry(clip_id=tidy(shown(path)), path=shown(path), problem=(kind, f"{shown(path)}: {ODD[kind]}"))
        for path, kind in odd.items()
    ]


def _named(entries: list[ClipEntry]) -> tuple[list[ClipEntry], tuple[str, ...]]:
    """Entries with normalised names, and a note for people for each set of spellings that became one.

    A name that is not text cannot be stored: its entry becomes one with a problem.
    """
    kept = [_with_text(entry) for entry in entries]
    people = {entry.subject_id for entry in kept} - {None}
    sources = {entry.source_id for entry in kept} - {None}
    names = {
        "subject": one_spelling(name for name in people if name is not None),
        "source": one_spelling(name for name in sources if name is not None),
    }
    notes = [
        f"{len(group)} spellings of one {what}: {', '.join(map(repr, group))}"
        for what, spellings in names.items()
        for group in several_spellings(spellings)
    ]
    return [_spelled(entry, names) for entry in kept], tuple(notes)


def _with_text(entry: ClipEntry) -> ClipEntry:
    if is_text(entry.clip_id + entry.path + (entry.label or "") + (entry.subject_id or "")):
        return entry
    path = shown(entry.path)
    detail = f"{path} has a name that is not UTF-8 (bytes are shown as \\x..); rename it"
    return ClipEntry(clip_id=shown(entry.clip_id), path=path, problem=(BAD_NAME, detail))


def _spelled(entry: ClipEntry, names: Mapping[str, Mapping[str, str]]) -> ClipEntry:
    subject = names["subject"].get(entry.subject_id or "")
    source = names["source"].get(entry.source_id or "")
    clip_id = tidy(entry.clip_id)
    if (clip_id, subject, source) == (entry.clip_id, entry.subject_id, entry.source_id):
        return entry
    return replace(entry, clip_id=clip_id, subject_id=subject, source_id=source)


def _unique(entries: list[ClipEntry]) -> list[ClipEntry]:
    """Each id once: repeated ids become one entry with a problem."""
    counts = Counter(entry.clip_id for entry in entries)
    if len(counts) == len(entries):
        return entries
    kept: dict[str, ClipEntry] = {}
    for entry in entries:
        if counts[entry.clip_id] == 1:
            kept[entry.clip_id] = entry
            continue
        first = kept.get(entry.clip_id, entry)
        detail = first.problem[1] if first.problem and first is not entry else "listed more than once:"
        # Two paths that print alike are told apart by their code points.
        path = ascii(entry.path) if tidy(entry.path) != entry.path else entry.path
        kept[entry.clip_id] = replace(first, problem=("duplicate_id", f"{detail} {path}"))
    return list(kept.values())


def _taken(entries: list[ClipEntry], own: Ontology, classes: Classes) -> tuple[list[ClipEntry], Counter[str]]:
    """Entries with a label of the wanted set, if that is a subset of the adapter's or listed by the recipe,
    and counts of the others. Labels in neither set are kept: ``ingest`` rejects them."""
    left_out: Counter[str] = Counter()
    wanted = classes.label_set
    if not (classes.are_listed or set(wanted.labels) < set(own.labels)):
        return entries, left_out
    others = [
        entry.label for entry in entries if entry.label and _find(entry.label, wanted) not in wanted.labels
    ]
    wanted = with_classes(wanted, (*wanted.labels, *free_classes(others)))
    taken = []
    for entry in entries:
        label = _find(entry.label, wanted) or _find(entry.label, own)
        if label is not None and label not in classes.labels:
            left_out[label] += 1
        else:
            taken.append(entry)
    return taken, left_out


def _find(label: str | None, own: Ontology) -> str | None:
    try:
        return None if label is None else own.find(label)
    except UnknownLabelError:
        return None
