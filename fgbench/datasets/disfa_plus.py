"""Adapter of DISFA+: nine subjects of DISFA who pose units and expressions, with intensities in every frame.

Layout::

    Images/SN001/A1_AU1_TrailNo_1/000.jpg        pictures of a trial (the release spells "Trail")
    Labels/SN001/A1_AU1_TrailNo_1/AU1.txt        lines "000.jpg     0", below a head of other lines

Labels: twelve action units (1 2 4 5 6 9 12 15 17 20 25 26), present from intensity 2 of 5 on, like DISFA's.
There are no classes of expressions. Its subjects are those of DISFA under the same numbers: together with
DISFA, nobody is trained on in one and tested in the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._folders import (
    find,
    find_below,
    layout_error,
    pictures,
    relative,
    stem,
    subfolders,
    unwrap,
)
from fgbench.datasets._tables import label_of, read_text
from fgbench.datasets._unit_names import INTENSITIES, Patterns, presence
from fgbench.errors import DatasetError
from fgbench.media.kinds import is_picture
from fgbench.records import AuRow, ClipEntry

UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
"""Action units of the release."""

_LAYOUT = (
    "Images/SN001/<trial>/000.jpg and Labels/SN001/<trial>/AU1.txt with lines such as '000.jpg     0'",
)
_IMAGES, _LABELS = "images", "labels"

CARD = Card(
    title="DISFA+ (Extended Denver Intensity of Spontaneous Facial Action)",
    kind="au",
    licence="non-commercial research only, after a signed agreement",
    citation="Mavadati, Sanger and Mahoor, Extended DISFA Dataset: Investigating Posed and Spontaneous "
    "Facial Expressions, CVPR Workshops 2016",
    request="Mohammad Mahoor, University of Denver, page of DISFA+",
    protocol="3 folds by subject, F1 at intensity 2 or more: fgbench train au --folds 3; without folds, "
    "parts by subject",
    layouts=_LAYOUT,
    variants=(Variant(scheme="none", about="12 action units of 9 persons"),),
    unconfirmed=(
        "that its people have their numbers of DISFA",
        "the lines at the head of files of labels: all lines before the first that names a picture are "
        "passed over",
    ),
    people="disfa",
)


def list_clips(root: Path) -> list[ClipEntry]:
    """Trials, without labels, ordered by id (``SN001_A1_AU1_TrailNo_1``).

    Args:
        root: Folder with the layout above, possibly some folders up.

    Raises:
        DatasetError: If the folder is not laid out so.
    """
    images = _folder(root, _IMAGES)
    entries = []
    for subject, trial, labels in _trials(root):
        folder = find_below(images, subject, trial)
        absent = [str(unit) for unit in UNITS if find(labels, f"AU{unit}.txt") is None]
        problem = None
        if folder is None:
            problem = ("missing_file", f"no folder {relative(images, root)}/{subject}/{trial}")
        elif absent:
            problem = (
                "missing_labels",
                f"{relative(labels, root)} has no files of action units {', '.join(absent)}",
            )
        entries.append(
            ClipEntry(
                clip_id=f"{subject}_{trial}",
                path=relative(folder or images / subject / trial, root),
                subject_id=subject.upper(),
                source_id=f"{subject}_{trial}",
                problem=problem,
            )
        )
    return sorted(entries, key=lambda entry: entry.clip_id)


def action_units(root: Path) -> Iterator[AuRow]:
    """Yield labels of all frames, trial by trial; none of trials without a folder or a file of a unit.

    Args:
        root: As for :func:`list_clips`.

    Raises:
        DatasetError: If the folder is not laid out so, or a file has a line of another kind.
    """
    images, patterns = _folder(root, _IMAGES), Patterns(UNITS)
    for subject, trial, labels in _trials(root):
        folder = find_below(images, subject, trial)
        files = [find(labels, f"AU{unit}.txt") for unit in UNITS]
        if folder is None or None in files:
            continue
        units = [_intensities(path) for path in files if path is not None]
        for index, name in enumerate(pictures(folder)):
            intensities = [unit.get(stem(name).lower()) for unit in units]
            if any(value is not None for value in intensities):
                yield AuRow(
                    clip_id=f"{subject}_{trial}",
                    frame_index=index,
                    labels=patterns.of([presence(value) for value in intensities]),
                )


def _folder(root: Path, name: str) -> Path:
    base = unwrap(root, lambda folder: folder.name.lower() == name and bool(subfolders(folder)))
    if base is None:
        raise layout_error(f"{root} has no folder {name.title()}/ with folders of subjects", _LAYOUT)
    return base


def _trials(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Subject, trial and folder of labels of every trial."""
    for subject, inner in subfolders(_folder(root, _LABELS)).items():
        for trial, folder in subfolders(inner).items():
            yield subject, trial, folder


def _intensities(path: Path) -> Mapping[str, int]:
    """Lower-case name of a picture, without suffix, to the intensity of a unit.

    Raises:
        DatasetError: If a line after the head is of another kind, or a picture comes twice.
    """
    intensities: dict[str, int] = {}
    for line, text in enumerate(read_text(path).splitlines(), start=1):
        words = text.split()
        if not words or (not intensities and not is_picture(words[0])):
            continue
        if len(words) != 2 or not is_picture(words[0]):
            raise DatasetError(
                f"{path} line {line} is {text[:60]!r}", "expected lines such as '000.jpg     0'"
            )
        name = stem(words[0]).lower()
        if name in intensities:
            raise DatasetError(f"{path} line {line} names {words[0]} again", "expected every picture once")
        intensities[name] = int(label_of(words[1], INTENSITIES, path, line))
    return intensities
