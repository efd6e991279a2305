"""Points of a prepared data set that need attention: a few lines at the end of ``fgbench prepare``.

Reads the rejects of all stages, and the clips and votes of the manifests. One of them is an error: that no
clip is left to train on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fgbench.config import PrepareConfig
from fgbench.errors import DatasetError
from fgbench.naming import counted, first_few
from fgbench.preparation.late_votes import late_in
from fgbench.preparation.stages._fold_notes import fold_notes
from fgbench.preparation.stages._reject_lines import MOST, reject_lines, rejected_rows
from fgbench.preparation.stages._tables import Finished, ingested
from fgbench.preparation.stages._votes import strange_votes, votes_beyond, with_votes
from fgbench.preparation.stages._votes_table import VOTES
from fgbench.preparation.stages.consensus import REANNOTATE
from fgbench.printable import printable_name
from fgbench.records import SPLITS
from fgbench.storage import read_rows, read_table
from fgbench.taxonomy import FREE, meant_by, normal_label, ontology
from fgbench.workfolders.layout import MANIFESTS

WARNING = "warning: "
"""Prefix of notes on a data set that need attention."""

_ALIKE = 0.8
"""Least likeness of the names of two classes that may be one (difflib: twice the common letters over all)."""

_RARER = 4
"""Least ratio of clips of the class that is meant to those of a misspelt one."""

_COLUMNS = ["clip_id", "subject_id", "label", "split", "n_images", "n_faces_ok"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingNotes:
    """Points of a prepared data set that need attention.

    Attributes:
        lines: Messages; may be empty.
        persons: Number of people in train and test, in words.
        is_untrainable: Whether there is no sample to train on although the recipe asks for some, and there
            are no samples at all or at least as many as parts.
    """

    lines: tuple[str, ...]
    persons: str
    is_untrainable: bool = False


def closing_notes(
    config: PrepareConfig,
    root: Path,
    workdir: Path,
    finished: Finished,
    *,
    classes: Sequence[str],
    notes: Iterable[str],
    all_official: bool,
) -> ClosingNotes:
    """Sum up finished manifests.

    Args:
        config: The recipe, with open settings decided.
        root: Root of the data set.
        workdir: The work folder.
        finished: Stage to bucket to marker, for all stages.
        classes: Labels of the manifests.
        notes: Notes on the data; those that begin with :data:`WARNING` are repeated.
        all_official: Whether the data set itself names the part of every clip.

    Raises:
        ManifestError: If a table is missing or damaged.
    """
    manifests = workdir / MANIFESTS
    clips = list(read_rows(manifests / "clips.parquet", _COLUMNS))
    rejects = rejected_rows(workdir, finished)
    again = any(row["reason"] == REANNOTATE for row in rejects)
    trained = set(_roles(config)["train"])
    samples = [clip for clip in clips if clip["split"] in trained and _has_sample(clip)]
    asked_for = any(getattr(config.split, part) > 0 for part in trained)
    n_usable = sum(map(_has_sample, clips))
    tables = with_votes(ingested(workdir, finished))
    is_divisible = not n_usable or n_usable >= sum(getattr(config.split, part) > 0 for part in SPLITS)
    return ClosingNotes(
        lines=(
            *reject_lines(rejects, root, workdir),
            *_strange(config, tables),
            *_beyond(tables),
            *_late(config, manifests),
            *_faceless(clips),
            *_pictureless(clips),
            *_parts(config, clips, classes),
            *_near_classes(config, clips),
            *_shared_persons(config, clips),
            *(line.removeprefix(WARNING) for line in notes if line.startswith(WARNING)),
        ),
        persons=_persons(config, clips),
        is_untrainable=not samples and asked_for and is_divisible and not all_official and not again,
    )


def untrainable(workdir: Path) -> DatasetError:
    """The error of manifests without a sample to train on."""
    return DatasetError(
        f"no usable clip is in train; the manifests in {workdir / MANIFESTS} are written all the same",
        "see above what became of the clips; to prepare a set for tests alone, name the part of every clip "
        "(column split), or write split: {train: 0, val: 0, test: 1} in the recipe",
    )


def _strange(config: PrepareConfig, ingested: Iterable[Path]) -> list[str]:
    """Votes for unknown classes, with suggestions."""
    labels = strange_votes(ingested)
    if not labels:
        return []
    named = []
    for label, count in sorted(labels.items(), key=lambda item: (-item[1], item[0]))[:MOST]:
        advice = meant_by(label, ontology(config.dataset.scheme)) if label else ""
        shown = repr(printable_name(label)) if label else "without a label"
        named.append(f"{shown} {count}" + (f" ({advice})" if advice else ""))
    more = f" and {len(labels) - MOST} more" if len(labels) > MOST else ""
    return [
        f"{counted(labels.total(), 'vote is', 'votes are')} for no class of {config.dataset.scheme}, and "
        f"{'counts' if labels.total() == 1 else 'count'} for none: "
        f"{', '.join(named)}{more}"
    ]


def _beyond(ingested: Iterable[Path]) -> list[str]:
    """Votes for key frames beyond the end of their clips."""
    beyond = votes_beyond(ingested)
    if not beyond:
        return []
    clips = [f"{printable_name(name)} ({count})" for name, count in sorted(beyond.items())]
    n_votes = sum(beyond.values())
    are = "vote is for a key frame" if n_votes == 1 else "votes are for key frames"
    return [
        f"{n_votes:,} {are} beyond the end of the clip, which agree with none; frames count from 0: "
        f"{first_few(clips, MOST)}"
    ]


def _late(config: PrepareConfig, manifests: Path) -> list[str]:
    """Late votes, which count for nothing."""
    path = manifests / VOTES
    late = late_in(read_table(path, ["clip_id", "settled"])) if path.is_file() else {}
    if not late:
        return []
    clips = [f"{printable_name(name)} ({count})" for name, count in sorted(late.items())]
    n_votes, least = sum(late.values()), config.consensus.min_votes
    are = "1 vote is late, and counts" if n_votes == 1 else f"{n_votes:,} votes are late, and count"
    return [
        f"{are} for nothing: an earlier round had settled the clip, and fewer than {least} voted on it "
        f"again: {first_few(clips, MOST)}; to overrule that round, have {least} or more vote again"
    ]


def _faceless(clips: Sequence[Mapping[str, Any]]) -> list[str]:
    names = [printable_name(clip["clip_id"]) for clip in clips if not _has_sample(clip)]
    if not names:
        return []
    return [
        f"{_clips(len(names))} without any usable face (column status of manifests/faces says why): "
        f"{first_few(names, MOST)}"
    ]


def _pictureless(clips: Sequence[Mapping[str, Any]]) -> list[str]:
    """Clips with faces that the image set passes over, where it has others."""
    names = [printable_name(clip["clip_id"]) for clip in clips if _has_sample(clip) and not clip["n_images"]]
    if not names or not any(clip["n_images"] for clip in clips):
        return []
    return [
        f"{_clips(len(names))} without a picture in the image set (no frame with a usable face is selected): "
        f"{first_few(names, MOST)}"
    ]


def _has_sample(clip: Mapping[str, Any]) -> bool:
    return bool(clip["n_images"] or clip["n_faces_ok"])


def _roles(config: PrepareConfig) -> dict[str, tuple[str, ...]]:
    """Role to the parts that it takes; with folds, training takes all parts."""
    protocol = config.protocol
    if protocol.kind == "k-fold":
        return {"train": SPLITS, "selection": (), "test": ()}
    return {"train": protocol.train, "selection": protocol.selection, "test": protocol.test}


def _parts(config: PrepareConfig, clips: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> list[str]:
    """Parts that lack clips, usable faces or classes, except parts without weight and clips."""
    if config.protocol.kind == "k-fold":
        with_sample = {clip["clip_id"] for clip in clips if _has_sample(clip)}
        return fold_notes(config.protocol, clips, with_sample, classes)
    lines = []
    for part in SPLITS:
        there = [clip for clip in clips if clip["split"] == part]
        usable = [clip for clip in there if _has_sample(clip)]
        if not there:
            if getattr(config.split, part) > 0 and any(part in parts for parts in _roles(config).values()):
                lines.append(f"{part} is empty: it has no clip")
            continue
        if not usable:
            lines.append(f"{part} has {_clips(len(there))} and no usable face")
            continue
        labels = {clip["label"] for clip in usable}
        absent = [name for name in classes if name not in labels]
        if absent:
            lines.append(f"{part} lacks {len(absent)} of {len(classes)} classes: {first_few(absent)}")
    return lines


def _near_classes(config: PrepareConfig, clips: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rare classes of the user's own that are spelt nearly as a frequent one."""
    if config.dataset.scheme != FREE or config.dataset.classes:
        return []
    counts = Counter(clip["label"] for clip in clips if clip["label"] is not None)
    lines = []
    for name, count in sorted(counts.items()):
        others = {normal_label(one): one for one, n in counts.items() if n >= _RARER * count and one != name}
        near = get_close_matches(normal_label(name), others, n=1, cutoff=_ALIKE)
        if near:
            meant = others[near[0]]
            lines.append(
                f"class {printable_name(name)} has {_clips(count)} and is spelt nearly as "
                f"{printable_name(meant)}, which has {counts[meant]:,}: if it is the same, correct the label"
            )
    return lines


def _in_parts(clips: Sequence[Mapping[str, Any]], parts: Sequence[str]) -> set[str]:
    return {clip["subject_id"] for clip in clips if clip["split"] in parts} - {None}


def _persons(config: PrepareConfig, clips: Sequence[Mapping[str, Any]]) -> str:
    """Number of people in both train and test, in words where it is not known."""
    everybody = _in_parts(clips, SPLITS)
    n_unknown = sum(clip["subject_id"] is None for clip in clips)
    if not everybody:
        return "persons in train and test: not known, the data set tells no persons"
    unknown = f"; {_clips(n_unknown)} without a person" if n_unknown else ""
    in_all = f"{counted(len(everybody), 'person')} in all"
    if config.protocol.kind == "k-fold":
        column = config.protocol.group_by
        if column == "subject_id":
            return f"persons in train and test: none in every fold, folds are by person ({in_all})"
        return (
            f"persons in train and test: not kept apart, the folds of {len(everybody)} persons divide by "
            f"{column.removesuffix('_id')}{unknown}"
        )
    roles = _roles(config)
    trained, tested = (_in_parts(clips, roles[role]) for role in ("train", "test"))
    both = len(trained & tested)
    shared = f"{both:,} of {counted(len(everybody), 'person')}" if both else f"none ({in_all})"
    return f"persons in train and test: {shared}{unknown}"


def _shared_persons(config: PrepareConfig, clips: Sequence[Mapping[str, Any]]) -> list[str]:
    if config.protocol.kind == "k-fold":
        return []
    lines = []
    for first, second in (("train", "test"), ("val", "test"), ("train", "val")):
        names = sorted(_in_parts(clips, [first]) & _in_parts(clips, [second]))
        if names:
            lines.append(
                f"{len(names)} {'person is' if len(names) == 1 else 'persons are'} in {first} and {second}: "
                f"{first_few([printable_name(name) for name in names], MOST)}"
            )
    return lines


def _clips(count: int) -> str:
    return counted(count, "clip")
