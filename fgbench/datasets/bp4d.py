"""Adapter of BP4D: 41 subjects in 8 tasks, with the action units of about 500 frames of each sequence.

Layout::

    F001/T1/2440.jpg                  pictures of a sequence; the name is the number of the frame
    AUCoding/AU_OCC/F001_T1.csv       first line: 0 and the numbers of the units; then frame number and codes

Labels: twelve action units (1 2 4 6 7 10 12 14 15 17 23 24); code 0 is absent, 1 present, and 9 unknown,
which counts as not labelled. There are no classes of expressions. Only the coded part of a sequence is taken.
Numbers of frames are those in the names of pictures, padded with zeros or not (``0013.jpg``, ``2440.jpg``);
models of the face (``.obj``, ``.mtl``) may lie beside the pictures.

A coded frame without a picture does not exclude its sequence: such frames are reported by an entry
of their own, ``F001_T1-missing``, which is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fgbench.datasets._card import WHOLE, Card, Variant
from fgbench.datasets._folders import (
    file_names,
    find,
    layout_error,
    numbered_pictures,
    relative,
    subfolders,
    unwrap,
)
from fgbench.datasets._tables import label_of, read_text, whole_number
from fgbench.datasets._unit_names import Patterns
from fgbench.errors import DatasetError
from fgbench.records import AuRow, ClipEntry

UNITS = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
"""Action units of the benchmark."""

_MEANING = {0: "absent", 1: "present", 9: "unknown"}
_LABELS = {"absent": -1, "present": 1, "unknown": 0}
_CODE_FILE = re.compile(r"(?P<subject>[FM]\d{3})_(?P<task>T\d+)\.csv", re.IGNORECASE)
_SUBJECT = re.compile(r"[FM]\d{3}", re.IGNORECASE)
_TASK = re.compile(r"T\d+", re.IGNORECASE)
_LAYOUT = (
    "AUCoding/AU_OCC/F001_T1.csv with a first line that names the frame and the units (0,1,2,...), and "
    "F001/T1/2440.jpg",
)
_SHOWN = 5

CARD = Card(
    title="BP4D-Spontaneous",
    kind="au",
    licence="research only, after a signed agreement",
    citation="Zhang et al., BP4D-Spontaneous: a high-resolution spontaneous 3D dynamic facial expression "
    "database, Image and Vision Computing 2014",
    request="Lijun Yin, Binghamton University, page of the 3D facial expression databases",
    protocol="3 folds by subject, F1 of 12 action units: fgbench train au --folds 3; without folds, parts by "
    "subject",
    layouts=_LAYOUT,
    variants=(Variant(scheme="none", about="12 action units", totals={WHOLE: 328}, subjects=41),),
    totals_source="Zhang et al. 2014: 41 subjects, 8 tasks",
    unconfirmed=("which subjects the three folds of published results have: folds are dealt by fgbench",),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sequence:
    """A coded sequence.

    Attributes:
        name: Id of the clip.
        subject: Subject that is shown.
        folder: Folder of its pictures; the expected one if it does not exist.
        frames: Index of a picture in its folder, from 0, and the codes of :data:`UNITS`.
        missing: Numbers of coded frames without a picture.
    """

    name: str
    subject: str
    folder: Path
    frames: tuple[tuple[int, tuple[str, ...]], ...]
    missing: tuple[int, ...]


def list_clips(root: Path) -> list[ClipEntry]:
    """Sequences with their coded frames selected, without labels, ordered by id.

    Args:
        root: Folder with the layout above, possibly some folders up.

    Raises:
        DatasetError: If the folder is not laid out so, or a file of codes has a line of another kind.
    """
    entries = []
    for sequence in _sequences(root):
        path = relative(sequence.folder, root)
        if not sequence.frames:
            problem = (
                "no_frames",
                f"{path} has a picture of none of the {len(sequence.missing)} coded frames",
            )
            entries.append(ClipEntry(clip_id=sequence.name, path=path, problem=problem))
            continue
        entries.append(
            ClipEntry(
                clip_id=sequence.name,
                path=path,
                subject_id=sequence.subject,
                source_id=sequence.name,
                selected_frames=tuple(index for index, _ in sequence.frames),
                stills_only=True,
            )
        )
        if sequence.missing:
            some = ", ".join(map(str, sequence.missing[:_SHOWN]))
            detail = f"{path} has no pictures of {len(sequence.missing)} coded frames, e.g. {some}"
            entries.append(
                ClipEntry(clip_id=f"{sequence.name}-missing", path=path, problem=("missing_frames", detail))
            )
    return sorted(entries, key=lambda entry: entry.clip_id)


def action_units(root: Path) -> Iterator[AuRow]:
    """Yield labels of the coded frames, sequence by sequence.

    Args:
        root: As for :func:`list_clips`.

    Raises:
        DatasetError: As :func:`list_clips`.
    """
    patterns = Patterns(UNITS)
    for sequence in _sequences(root):
        for index, codes in sequence.frames:
            labels = patterns.of([_LABELS[meaning] for meaning in codes])
            yield AuRow(clip_id=sequence.name, frame_index=index, labels=labels)


def _sequences(root: Path) -> Iterator[_Sequence]:
    """Coded sequences; each folder of pictures is listed once."""
    images = unwrap(root, _holds_subjects)
    if images is None:
        raise layout_error(f"{root} has no folders of subjects and tasks such as F001/T1/", _LAYOUT)
    codes = unwrap(root, _holds_codes)
    if codes is None:
        raise layout_error(f"{root} has no folder AUCoding/AU_OCC/ with files such as F001_T1.csv", _LAYOUT)
    for name in file_names(codes):
        match = _CODE_FILE.fullmatch(name)
        if match is not None:
            yield _sequence(images, codes / name, match["subject"].upper(), match["task"].upper())


def _sequence(images: Path, path: Path, subject: str, task: str) -> _Sequence:
    person = find(images, subject)
    folder = person and find(person, task)
    numbers = {} if folder is None else numbered_pictures(folder)
    coded = list(_coded(path))
    return _Sequence(
        name=f"{subject}_{task}",
        subject=subject,
        folder=folder or images / subject / task,
        frames=tuple((numbers[number], codes) for number, codes in coded if number in numbers),
        missing=tuple(number for number, _ in coded if number not in numbers),
    )


def _coded(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Number of each frame of a file, and the meanings of the codes of :data:`UNITS`."""
    lines = read_text(path).splitlines()
    head = [cell.strip() for cell in lines[0].split(",")] if lines else []
    columns = {whole_number(cell): index for index, cell in enumerate(head) if index}
    absent = [str(unit) for unit in UNITS if unit not in columns]
    if absent:
        raise layout_error(f"{path} line 1 names no action units {', '.join(absent)}", _LAYOUT)
    indices = [columns[unit] for unit in UNITS]
    for line, text in enumerate(lines[1:], start=2):
        cells = text.split(",")
        if not text.strip():
            continue
        number = whole_number(cells[0].strip())
        if len(cells) <= max(indices) or number is None:
            raise DatasetError(
                f"{path} line {line} begins with {text[:20]!r} and has {len(cells)} cells",
                f"expected the number of a frame and {len(head) - 1} codes",
            )
        yield number, tuple(label_of(cells[index], _MEANING, path, line) for index in indices)


def _holds_subjects(folder: Path) -> bool:
    persons = [path for name, path in subfolders(folder).items() if _SUBJECT.fullmatch(name)]
    return bool(persons) and any(_TASK.fullmatch(name) for name in subfolders(persons[0]))


def _holds_codes(folder: Path) -> bool:
    is_named = folder.name.lower() in ("au_occ", "aucoding")
    return is_named and any(_CODE_FILE.fullmatch(name) for name in file_names(folder))
