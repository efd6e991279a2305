"""Audit of a work folder: leaks between its parts, or into the test part of another.

Reads the manifests; writes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.audit.duplicates import MAX_BITS, MIN_CORRELATION
from fgbench.audit.leak import KINDS, AuditedClip, Leak, Side
from fgbench.audit.look_groups import LookGroup, look_groups
from fgbench.audit.part_leaks import compare
from fgbench.audit.pictures import Pictures, describe
from fgbench.audit.tables import AuditedPictures, misplaced_pictures, read_clips
from fgbench.callbacks import Progress
from fgbench.errors import ConfigError, ManifestError
from fgbench.naming import shown
from fgbench.records import SPLITS
from fgbench.runs.division_reading import read_division
from fgbench.workfolders.layout import INDEX, MANIFESTS
from fgbench.workfolders.manifest_index import missing_manifests

PAIRS = (("train", "test"), ("val", "test"), ("train", "val"))
"""Pairs of parts that are compared; the first would have to give way."""

LEARNING = ("train", "val")
"""Parts of a work folder that are compared with the test part of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A work folder to audit.

    Attributes:
        path: The work folder.
        dataset: Name of the data set.
        synthetic: Whether it is drawn.
        apart: Column by which its recipe keeps parts, or its protocol folds, apart: ``clip_id``,
            ``source_id`` or ``subject_id``.
        folds: Folds of its protocol; 0 for parts.
    """

    path: Path
    dataset: str
    synthetic: bool
    apart: str
    folds: int = 0

    @property
    def manifests(self) -> Path:
        """Folder of the manifests."""
        return self.path / MANIFESTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Sizes of two parts that were compared.

    Attributes:
        first: Name of the part that learns.
        second: Name of the part that is tested on.
        clips: Clips of each.
        pictures: Pictures of each; augmented copies are not compared. A clip without any in the image set has
            frames of the video set.
        without_pictures: Clips of each that have no picture to compare.
        without_subject: Clips of each whose subject is not known.
        without_source: Clips of each whose source is not known.
    """

    first: str
    second: str
    clips: tuple[int, int]
    pictures: tuple[int, int]
    without_pictures: tuple[int, int]
    without_subject: tuple[int, int]
    without_source: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Results of an audit.

    Attributes:
        folder: The folder.
        against: The other folder, or ``None``.
        compared: The parts that were compared.
        leaks: Leaks, the worst first.
        groups: Clips that show the same, the largest group first.
        unreadable: Ids of pictures that cannot be decoded.
        flat: Number of pictures that show nothing and were not compared.
    """

    folder: Folder
    against: Folder | None
    compared: Sequence[Compared]
    leaks: Sequence[Leak]
    groups: Sequence[LookGroup]
    unreadable: Sequence[str]
    flat: int

    @property
    def disallowed(self) -> list[Leak]:
        """Leaks that the recipe does not allow."""
        return [leak for leak in self.leaks if not leak.allowed]

    @property
    def n_comparisons(self) -> int:
        """Pairs of parts, or of folds, that were compared: both have clips."""
        return sum(all(pair.clips) for pair in self.compared)

    @property
    def n_pairs(self) -> int:
        """Pairs of clips that were compared."""
        return sum(first * second for first, second in (pair.clips for pair in self.compared))

    @property
    def n_looks(self) -> int:
        """Pairs of parts, or of folds, of which both have pictures that were compared."""
        return sum(all(pair.pictures) for pair in self.compared)

    def counts(self) -> list[tuple[str, str, str, int, int]]:
        """(kind, first part, second part, leaks, allowed) of every kind and pair of parts with leaks."""
        leaks: Counter[tuple[str, str, str]] = Counter()
        allowed: Counter[tuple[str, str, str]] = Counter()
        for leak in self.leaks:
            (allowed if leak.allowed else leaks)[leak.kind, leak.first_part, leak.second_part] += 1
        order = list(KINDS)
        keys = sorted(leaks.keys() | allowed.keys(), key=lambda key: (order.index(key[0]), *key[1:]))  # type: ignore[arg-type]
        return [(*key, leaks[key], allowed[key]) for key in keys]

    def to_json(self) -> dict[str, Any]:
        """Plain values, for ``audit.json`` and ``--json``."""
        folders = {"workdir": self.folder, "against": self.against}
        return {
            **{
                name: None if folder is None else {**asdict(folder), "path": shown(str(folder.path))}
                for name, folder in folders.items()
            },
            "thresholds": {"max_bits": MAX_BITS, "min_correlation": MIN_CORRELATION},
            "compared": [asdict(pair) for pair in self.compared],
            "unreadable": list(self.unreadable),
            "flat": self.flat,
            "n_comparisons": self.n_comparisons,
            "n_pairs_of_clips": self.n_pairs,
            "n_leaks": len(self.disallowed),
            "groups": [group.to_json() for group in self.groups],
            "leaks": [asdict(leak) for leak in self.leaks],
        }


def open_folder(workdir: Path) -> Folder:
    """Open a work folder with complete manifests.

    Raises:
        ManifestError: If the manifests are missing or incomplete.
    """
    path = workdir / MANIFESTS / INDEX
    try:
        index = storage.read_json(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise missing_manifests(workdir) from error
    protocol = index.get("protocol") or {}
    is_folded = protocol.get("kind") == "k-fold"
    try:
        group_by = str(index["origin"]["recipe"]["split"]["group_by"])
    except (KeyError, TypeError) as error:
        raise ManifestError(
            f"index.json of {workdir} does not tell how clips were divided, expected the recipe that made it",
            "run fgbench prepare again",
        ) from error
    if is_folded and "group_by" in protocol:
        group_by = str(protocol["group_by"])
    return Folder(
        path=workdir,
        dataset=index["dataset"],
        synthetic=index["synthetic"],
        # "found": there are subjects, and they are kept apart.
        apart="subject_id" if group_by == "found" else group_by,
        folds=int(protocol.get("folds", 10)) if is_folded else 0,
    )


def audit_parts(workdir: Path, *, jobs: int = 1, progress: Progress | None = None) -> Audit:
    """Compare the parts of a work folder, or each fold of a k-fold protocol with every other.

    Args:
        workdir: The work folder.
        jobs: Threads; no result depends on their number.
        progress: Called with the progress.

    Raises:
        ConfigError: If the folds do not divide the clips.
        ManifestError: If the manifests are missing, incomplete or damaged.
    """
    folder = open_folder(workdir)
    clips = read_clips(folder.manifests)
    leaks = misplaced_pictures(folder.manifests, clips)
    if folder.folds:
        pictures = _describe(folder, None, jobs=jobs, progress=progress)
        sides = _folds(workdir, clips, pictures)
        pairs: Sequence[tuple[str, str]] = [*combinations(sides, 2)]
    else:
        pictures = _describe(folder, SPLITS, jobs=jobs, progress=progress)
        sides = {part: _side(part, part, clips, pictures) for part in SPLITS}
        pairs = PAIRS
    for first, second in pairs:
        leaks += compare(
            sides[first],
            sides[second],
            apart=folder.apart,
            jobs=jobs,
            progress=_named(progress, f"{first}/{second}"),
        )
    return Audit(
        folder=folder,
        against=None,
        compared=[_compared(sides[first], sides[second]) for first, second in pairs],
        leaks=_ordered(leaks),
        groups=look_groups(list(sides.values()), leaks),
        unreadable=pictures.unreadable,
        flat=int(pictures.flat.sum()),
    )


def audit_against(workdir: Path, other: Path, *, jobs: int = 1, progress: Progress | None = None) -> Audit:
    """Compare the training and validation parts of a folder with the test part of another.

    Names of subjects, sources and clips are compared only if both are of the same data set.

    Args:
        workdir: Folder that is learned from, e.g. for pretraining.
        other: Folder that is tested on.
        jobs: Threads; no result depends on their number.
        progress: Called with the progress.

    Raises:
        ConfigError: If both are the same folder.
        ManifestError: If manifests are missing, incomplete or damaged.
    """
    folder, tested = open_folder(workdir), open_folder(other)
    if workdir.resolve() == other.resolve():
        raise ConfigError(
            f"{other} is the audited folder itself", "leave against out: its parts are compared then"
        )
    clips = read_clips(folder.manifests)
    pictures = _describe(folder, LEARNING, jobs=jobs, progress=progress)
    other_pictures = _describe(tested, ("test",), jobs=jobs, progress=progress)
    second = _side("test", f"test of {tested.dataset}", read_clips(tested.manifests), other_pictures)
    leaks: list[Leak] = []
    compared = []
    learning = [_side(part, part, clips, pictures) for part in LEARNING]
    for first in learning:
        leaks += compare(
            first,
            second,
            apart=folder.apart,
            comparable_names=folder.dataset == tested.dataset,
            jobs=jobs,
            progress=_named(progress, f"{first.name}/other"),
        )
        compared.append(_compared(first, second))
    return Audit(
        folder=folder,
        against=tested,
        compared=compared,
        leaks=_ordered(leaks),
        groups=look_groups([*learning, second], leaks),
        unreadable=[*pictures.unreadable, *other_pictures.unreadable],
        flat=int(pictures.flat.sum() + other_pictures.flat.sum()),
    )


def _folds(workdir: Path, clips: Sequence[AuditedClip], pictures: Pictures) -> dict[str, Side]:
    """The folds by their names, in order."""
    division = read_division(workdir, storage.read_json(workdir / MANIFESTS / INDEX))
    sides = {}
    for fold in division.folds:
        members = [clip for clip in clips if division.fold_of.get(clip.clip_id) == fold]
        name = f"fold {fold}"
        sides[name] = Side(name, members, pictures.of_clips({clip.clip_id for clip in members}))
    return sides


def _describe(
    folder: Folder, parts: Sequence[str] | None, *, jobs: int, progress: Progress | None
) -> Pictures:
    pictures = AuditedPictures(folder.manifests, parts)

    def report(done: int) -> None:
        if progress is not None:
            progress(f"read {folder.dataset}", done, len(pictures))

    return describe(pictures, jobs=jobs, progress=report)


def _side(part: str, name: str, clips: Sequence[Any], pictures: Pictures) -> Side:
    members = [clip for clip in clips if clip.part == part]
    return Side(name, members, pictures.of_clips({clip.clip_id for clip in members}))


def _compared(first: Side, second: Side) -> Compared:
    def both(count: Callable[[Side], int]) -> tuple[int, int]:
        return count(first), count(second)

    return Compared(
        first=first.name,
        second=second.name,
        clips=both(lambda side: len(side.clips)),
        pictures=both(lambda side: len(side.pictures)),
        without_pictures=both(
            lambda side: len({clip.clip_id for clip in side.clips} - set(side.pictures.clip_ids))
        ),
        without_subject=both(lambda side: sum(clip.subject_id is None for clip in side.clips)),
        without_source=both(lambda side: sum(clip.source_id is None for clip in side.clips)),
    )


def _named(progress: Progress | None, name: str) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(name, done, total)


def _ordered(leaks: Sequence[Leak]) -> list[Leak]:
    """Disallowed leaks before allowed ones, then by kind, the most similar first."""
    order = list(KINDS)
    return sorted(
        leaks,
        key=lambda leak: (
            leak.allowed,
            order.index(leak.kind),
            -(leak.correlation or 0.0),
            leak.first_part,
            leak.second_part,
            leak.first,
            leak.second,
        ),
    )
