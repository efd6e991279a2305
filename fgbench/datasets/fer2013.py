"""Adapter of FER2013 and FER+: cropped grey faces of 48x48 px.

Layouts::

    fer2013.csv                     emotion,pixels,Usage                               (variant ``csv``)
    fer2013new.csv                  FER+: ten votes for each row of fer2013.csv        (variant ``ferplus``)
    {train,test}/<emotion>/*.jpg    the same pictures as files, without a part val     (variant ``folders``;
                                    of Training, PublicTest and PrivateTest the last two are test)

Labels: the six basic expressions and neutral; FER+ also has contempt. Usage Training, PublicTest and
PrivateTest are train, val and test. In FER+, expressions with a single vote of ten are left out, and a row
counts if more than half of the other votes agree on an expression; rows without picture, or won by
``unknown`` or ``NF`` (no face), are not listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._folders import (
    find,
    labelled_folders,
    layout_error,
    part_folder,
    pictures,
    prefix,
    relative,
    stem,
    unwrap,
)
from fgbench.datasets._tables import label_of, read_table, whole_number
from fgbench.errors import DatasetError
from fgbench.records import SPLITS, ClipEntry

_CODES = dict(enumerate(("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")))
_PARTS = {"training": "train", "publictest": "val", "privatetest": "test"}
_FOLDERS = {name: name for name in _CODES.values()} | {
    "angry": "anger",
    "happy": "happiness",
    "sad": "sadness",
}
_TABLES = ("fer2013.csv", "icml_face_data.csv")
_VOTES = "fer2013new.csv"
_VOTED = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
_NOT_VOTED = ("unknown", "nf")

_CSV = "fer2013.csv with the columns emotion,pixels,Usage"
_PLUS = f"{_CSV}, and {_VOTES} with the columns Usage,Image name,{','.join(_VOTED)},unknown,NF"
_FILES = (
    "{train,test}/<emotion>/*.jpg, or validation/ in the place of test/ or beside it: both are then tested"
)
_TRAIN = dict(zip(_CODES.values(), (3995, 436, 4097, 7215, 4830, 3171, 4965), strict=True))
_PUBLIC = dict(zip(_CODES.values(), (467, 56, 496, 895, 653, 415, 607), strict=True))
_PRIVATE = dict(zip(_CODES.values(), (491, 55, 528, 879, 594, 416, 626), strict=True))

CARD = Card(
    title="FER2013, and its labels FER+",
    kind="image",
    licence="pictures: terms of the Kaggle competition, research; labels of FER+: MIT",
    citation="Goodfellow et al., Challenges in Representation Learning, ICONIP 2013; FER+: Barsoum et al., "
    "Training Deep Networks for Facial Expression Recognition, ICMI 2016",
    request="Kaggle, competition Challenges in Representation Learning: Facial Expression Recognition; FER+: "
    "repository microsoft/FERPlus",
    protocol="official parts: train on Training, choose on PublicTest, report PrivateTest",
    layouts=(_CSV, _PLUS, _FILES),
    variants=(
        Variant(
            name="csv",
            scheme="ekman7",
            about="the table",
            totals={"train": 28709, "val": 3589, "test": 3589},
            classes={"train": _TRAIN, "val": _PUBLIC, "test": _PRIVATE},
        ),
        Variant(
            name="folders",
            scheme="ekman7",
            about="picture files; test is PublicTest and PrivateTest together",
            totals={"train": 28709, "test": 7178},
            classes={
                "train": _TRAIN,
                "test": {label: _PUBLIC[label] + _PRIVATE[label] for label in _CODES.values()},
            },
        ),
        Variant(name="ferplus", scheme="ekman8", about="the table with the majority of FER+'s votes"),
    ),
    totals_source="counts of the released table",
)


def list_clips(root: Path, variant: str = "csv") -> list[ClipEntry]:
    """Pictures as clips of one frame, ordered by id (``fer`` and the number of the row, or the path).

    Args:
        root: Folder with one of the layouts above, possibly some folders up.
        variant: ``"csv"``, ``"folders"`` or ``"ferplus"``.

    Raises:
        DatasetError: If the folder is not laid out so, or a table has a row of another kind.
    """
    if variant == "folders":
        return sorted(_files(root), key=lambda entry: entry.clip_id)
    layout = (_PLUS,) if variant == "ferplus" else (_CSV,)
    base = unwrap(root, lambda folder: find(folder, *_TABLES) is not None)
    table = base and find(base, *_TABLES)
    if table is None:
        hint = "; use the recipe fer2013-folders" if unwrap(root, _has_parts) is not None else ""
        raise layout_error(f"{root} has no file {_TABLES[0]}{hint}", layout)
    rows = list(_rows(table, root))
    if variant == "ferplus":
        return _voted(rows, root, layout)
    return rows


def _rows(table: Path, root: Path) -> Iterator[ClipEntry]:
    path = relative(table, root)
    for number, row in enumerate(read_table(table, ("emotion", "pixels", "usage"))):
        part = _PARTS.get(row["usage"].lower())
        if part is None:
            raise DatasetError(
                f"{table} line {row['_line']}: Usage is {row['usage']!r}",
                "expected Training, PublicTest or PrivateTest",
            )
        yield ClipEntry(
            clip_id=f"fer{number:07d}",
            path=f"{path}/{number}",
            label=label_of(row["emotion"], _CODES, table, row["_line"]),
            key_frame=0,
            split=part,
        )


def _voted(rows: list[ClipEntry], root: Path, layout: tuple[str, ...]) -> list[ClipEntry]:
    """Rows with the labels of FER+, whose table has the same rows in the same order."""
    base = unwrap(root, lambda folder: find(folder, _VOTES) is not None)
    votes = base and find(base, _VOTES)
    if votes is None:
        raise layout_error(f"{root} has no file {_VOTES}", layout)
    entries = []
    voted = list(read_table(votes, ("image name", *_VOTED, *_NOT_VOTED)))
    if len(voted) != len(rows):
        raise DatasetError(
            f"{votes} has {len(voted)} rows and the table of pixels {len(rows)}, expected as many",
            "download both again",
        )
    for entry, row in zip(rows, voted, strict=True):
        label = majority(_counts(row, votes))
        if row["image name"] and label is not None:
            entries.append(
                ClipEntry(clip_id=entry.clip_id, path=entry.path, label=label, key_frame=0, split=entry.split)
            )
    return entries


def majority(counts: dict[str, int]) -> str | None:
    """Expression with more than half of the votes, single votes left out; ``None`` if there is none.

    The rule is that of FER+'s own preparation (majority voting).

    Args:
        counts: Number of votes for each expression, and for ``unknown`` and ``nf``.
    """
    kept = {name: count for name, count in counts.items() if count > 1}
    best = max(kept, key=lambda name: kept[name], default=None)
    if best is None or best in _NOT_VOTED or 2 * kept[best] <= sum(kept.values()):
        return None
    return best


def _counts(row: dict[str, str], path: Path) -> dict[str, int]:
    counts = {}
    for name in (*_VOTED, *_NOT_VOTED):
        number = whole_number(row[name])
        if number is None:
            raise DatasetError(
                f"{path} line {row['_line']}: {name} is {row[name]!r}", "expected a number of votes"
            )
        counts[name] = number
    return counts


def _has_parts(folder: Path) -> bool:
    parts = {part for part in SPLITS if part_folder(folder, part) is not None}
    return "train" in parts and len(parts) > 1


def _files(root: Path) -> Iterator[ClipEntry]:
    base = unwrap(root, _has_parts)
    if base is None:
        raise layout_error(f"{root} has no folders train/ and test/ (or validation/)", (_FILES,))
    for part in SPLITS:
        folder = part_folder(base, part)
        if folder is None:  # most copies have no folder of PublicTest alone
            continue
        labelled = labelled_folders(folder, _FOLDERS)
        if not labelled:
            raise layout_error(f"{folder} has no folders named as emotions (angry, ..., surprise)", (_FILES,))
        for inner, label in labelled.items():
            before = prefix(inner, root)
            for name in pictures(inner):
                yield ClipEntry(
                    clip_id=f"{part}/{label}/{stem(name)}",
                    path=before + name,
                    label=label,
                    key_frame=0,
                    split="train" if part == "train" else "test",
                )
