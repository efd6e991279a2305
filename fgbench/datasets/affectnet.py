"""Adapter of AffectNet: pictures from the web with one of eight expressions, annotated by people.

Layouts::

    Manually_Annotated_file_lists/{training,validation}.csv    subDirectory_filePath,...,expression,...
    Manually_Annotated_Images/<number>/<file>                  pictures as found      (variant ``lists``)
    {train,val}_set/annotations/N_exp.npy                      a code
    {train,val}_set/images/N.jpg                               cropped faces          (variant ``arrays``)

Labels: the six basic expressions, neutral, contempt; and none of these, uncertain, no face (codes 8 to 10),
which no recipe takes: they are left out and counted. ``validation.csv`` has no line of column names in some
copies. Boxes of faces in the lists are not used (some have negative widths): faces are detected anew. Labels
of the test part are not public: results are reported on the official validation part, 500 pictures per class.
Results with 7 classes (3,500 pictures) and with 8 (4,000) are not comparable.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._folders import file_names, find, layout_error, part_folder, prefix, stem, unwrap
from fgbench.datasets._tables import label_of, read_table
from fgbench.records import ClipEntry

_CODES = dict(
    enumerate(
        (
            "neutral",
            "happiness",
            "sadness",
            "surprise",
            "fear",
            "disgust",
            "anger",
            "contempt",
            "none_of_these",
            "uncertain",
            "no_face",
        )
    )
)
_COLUMNS = (
    "subdirectory_filepath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
_TABLES = {"train": "training.csv", "val": "validation.csv"}
_SETS = {"train": "train_set", "val": "val_set"}
_IMAGES = "Manually_Annotated_Images"
_CODE_SUFFIX = "_exp.npy"
_LISTS_LAYOUT = (
    "Manually_Annotated_file_lists/{training,validation}.csv with the columns "
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal, "
    f"and {_IMAGES}/"
)
_ARRAYS_LAYOUT = "{train,val}_set/{images/N.jpg,annotations/N_exp.npy}"
_TRAIN = (74874, 134415, 25459, 14090, 6378, 3803, 24882, 3750, 33088, 11645, 82415)

CARD = Card(
    title="AffectNet",
    kind="image",
    licence="non-commercial research only, after a signed agreement of the laboratory",
    citation="Mollahosseini, Hasani and Mahoor, AffectNet: A Database for Facial Expression, Valence, and "
    "Arousal Computing in the Wild, IEEE Transactions on Affective Computing 2019",
    request="Mohammad Mahoor, University of Denver, page of AffectNet",
    protocol="train on the training part, report the official validation part; a tenth of training is held "
    "out to choose on; 7 and 8 classes are different benchmarks",
    layouts=(_LISTS_LAYOUT, _ARRAYS_LAYOUT),
    variants=(
        Variant(
            name="lists",
            scheme="affectnet11",
            about="lists and pictures as found",
            totals={"train": sum(_TRAIN), "val": 11 * 500},
            classes={
                "train": dict(zip(_CODES.values(), _TRAIN, strict=True)),
                "val": dict.fromkeys(_CODES.values(), 500),
            },
        ),
        Variant(name="arrays", scheme="affectnet11", about="cropped faces with one file for each label"),
    ),
    totals_source="Mollahosseini et al. 2019, table 3, and 500 pictures of each class for validation",
    unconfirmed=(
        "layout of the release with train_set and val_set, and its numbers of pictures",
        "that all pictures of val_set are there: 3,999 instead of 4,000 are reported for some copies",
    ),
)


def list_clips(root: Path, variant: str = "lists") -> list[ClipEntry]:
    """Pictures as clips of one frame, ordered by id.

    Args:
        root: Folder with one of the layouts above, possibly some folders up.
        variant: ``"lists"`` or ``"arrays"``.

    Raises:
        DatasetError: If the folder is not laid out so, or a label is of another kind.
    """
    entries = _from_arrays(root) if variant == "arrays" else _from_lists(root)
    return sorted(entries, key=lambda entry: entry.clip_id)


def _from_lists(root: Path) -> Iterator[ClipEntry]:
    layout = (_LISTS_LAYOUT,)
    base = unwrap(root, lambda folder: find(folder, _TABLES["train"]) is not None)
    if base is None:
        hint = "; use the recipe affectnet-arrays" if unwrap(root, _has_sets) is not None else ""
        raise layout_error(f"{root} has no file {_TABLES['train']}{hint}", layout)
    images = unwrap(root, lambda folder: folder.name.lower() == _IMAGES.lower())
    if images is None:
        raise layout_error(f"{root} has no folder {_IMAGES}/", layout)
    before = prefix(images, root)
    for part, name in _TABLES.items():
        table = find(base, name)
        if table is None:
            raise layout_error(f"{base} has no file {name}", layout)
        for row in read_table(table, ("subdirectory_filepath", "expression"), headless=_COLUMNS):
            path = row["subdirectory_filepath"].replace("\\", "/")
            yield ClipEntry(
                clip_id=f"{part}/{stem(path)}",
                path=before + path,
                label=label_of(row["expression"], _CODES, table, row["_line"]),
                key_frame=0,
                split=part,
            )


def _has_sets(folder: Path) -> bool:
    return part_folder(folder, "train", _SETS["train"]) is not None


def _from_arrays(root: Path) -> Iterator[ClipEntry]:
    layout = (_ARRAYS_LAYOUT,)
    base = unwrap(root, _has_sets)
    if base is None:
        has_lists = unwrap(root, lambda folder: find(folder, _TABLES["train"]) is not None) is not None
        hint = "; use the recipe affectnet" if has_lists else ""
        raise layout_error(f"{root} has no folder {_SETS['train']}/{hint}", layout)
    for part, name in _SETS.items():
        folder = part_folder(base, part, name)
        if folder is None:
            raise layout_error(f"{base} has no folder {name}/", layout)
        inside = unwrap(folder, lambda inner: find(inner, "annotations") is not None, depth=1)
        annotations = inside and find(inside, "annotations")
        images = inside and find(inside, "images")
        if annotations is None or images is None:
            lacking = "annotations/" if annotations is None else "images/"
            raise layout_error(f"{inside or folder} has no folder {lacking}", layout)
        yield from _annotated(annotations, prefix(images, root), part, layout)


def _annotated(annotations: Path, before: str, part: str, layout: tuple[str, ...]) -> Iterator[ClipEntry]:
    files = [name for name in file_names(annotations) if name.lower().endswith(_CODE_SUFFIX)]
    if not files:
        raise layout_error(f"{annotations} has no files N{_CODE_SUFFIX}", layout)
    for name in files:
        number = name[: -len(_CODE_SUFFIX)]
        clip_id, path = f"{part}/{number}", f"{before}{number}.jpg"
        try:
            code = _code((annotations / name).read_bytes())
        except (OSError, ValueError, EOFError) as error:
            problem = ("unreadable_label", f"{name}: {error}")
            yield ClipEntry(clip_id=clip_id, path=path, problem=problem)
            continue
        label = label_of(code, _CODES, annotations / name)
        yield ClipEntry(clip_id=clip_id, path=path, label=label, key_frame=0, split=part)


@lru_cache(maxsize=256)
def _code(data: bytes) -> str:
    """Read the code in a file of one number or word, once per content: 300,000 files have a dozen contents.

    Raises:
        ValueError: If it is no array of one element, or one that would have to be unpickled.
        EOFError: If it is empty.
    """
    array = np.load(io.BytesIO(data), allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.size != 1:
        raise ValueError("expected an array of one element")
    return str(array.reshape(-1)[0])
