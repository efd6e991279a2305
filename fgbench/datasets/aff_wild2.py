"""Adapter of Aff-Wild2 (ABAW): videos from the web, with action units in every frame.

Layout::

    <any folders>/AU_Detection_Challenge/Train_Set/<video>.txt        first line AU1,AU2,...; then 0, 1 or -1
    <any folders>/AU_Detection_Challenge/Validation_Set/<video>.txt
    <any folders>/cropped_aligned/<video>/00001.jpg                   or cropped/<video>/
    <any folders>/<video>.mp4                                         the variant videos: whole, e.g. batch1/

Labels: twelve action units (1 2 4 6 7 10 12 15 23 24 25 26); 1 present, 0 absent, -1 not labelled. Line n
after the first is frame n, whose picture is ``<n>.jpg``, counted from 1. Frames in which the owners found no
face have no picture, and are not listed. In a whole video line n is its n-th frame, so that no picture is
needed; its clip is ``<video>-video``. Tests use the official validation part: labels of the test part are
not public.

A video of two people is two items, ``<video>_left`` and ``<video>_right`` (or ``<video>`` and one of these);
both have the same source. In a whole video the labels cannot be assigned to the two: it is not used. Subjects
are not named; the owners' parts share nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._folders import (
    file_names,
    find,
    layout_error,
    numbered_pictures,
    relative,
    stem,
    subfolders,
    unwrap,
)
from fgbench.datasets._parts import parts_of
from fgbench.datasets._tables import label_of, read_text
from fgbench.datasets._tree import FILE, everything
from fgbench.datasets._unit_names import Patterns
from fgbench.errors import DatasetError
from fgbench.media.kinds import is_video
from fgbench.records import AuRow, ClipEntry

UNITS = (1, 2, 4, 6, 7, 10, 12, 15, 23, 24, 25, 26)
"""Action units of the challenge."""

_CODES = {-1: "unknown", 0: "absent", 1: "present"}
_LABELS = {"unknown": 0, "absent": -1, "present": 1}
_SIDE = re.compile(r"_(?:left|right)$", re.IGNORECASE)
_PICTURES = ("cropped_aligned", "cropped")
_LAYOUT = (
    "AU_Detection_Challenge/{Train_Set,Validation_Set}/<video>.txt (first line AU1,AU2,...) and "
    "cropped_aligned/<video>/00001.jpg",
)
_VIDEO_LAYOUT = (
    "AU_Detection_Challenge/{Train_Set,Validation_Set}/<video>.txt and <video>.mp4 or .avi (variant videos)"
)
_WHOLE = "-video"
"""End of the id of a whole video, to distinguish it from that of its pictures."""
_DEPTH = 4

CARD = Card(
    title="Aff-Wild2 (ABAW, action unit detection)",
    kind="au",
    licence="non-commercial research only, after a signed agreement",
    citation="Kollias and Zafeiriou, Aff-Wild2: Extending the Aff-Wild Database for Affect Recognition, "
    "2018; Kollias, ABAW competitions, CVPR and ECCV Workshops 2020 to 2024",
    request="Dimitrios Kollias, page of Aff-Wild2 and of the ABAW competitions",
    protocol="tested on the official validation part, F1 of 12 action units; a tenth of the training "
    "videos chooses",
    layouts=(*_LAYOUT, _VIDEO_LAYOUT),
    variants=(
        Variant(name="cropped", scheme="none", about="12 action units, cropped and aligned pictures"),
        Variant(name="videos", scheme="none", about="12 action units, whole videos"),
    ),
    unconfirmed=(
        "numbers of videos and frames: they differ between the competitions",
        "that the parts share nobody",
    ),
)


def list_clips(root: Path, variant: str = "cropped") -> list[ClipEntry]:
    """Videos without labels, as folders of pictures or whole, ordered by id.

    Args:
        root: Folder with the layout above, possibly some folders up.
        variant: ``"cropped"`` or ``"videos"``.

    Raises:
        DatasetError: If the folder is not laid out so, or a video is in both parts.
    """
    if variant == "videos":
        return _whole_clips(root)
    images = _images(root)
    entries: dict[str, ClipEntry] = {}
    for name, (part, _) in _annotated(root).items():
        folder = find(images, name)
        numbers = {} if folder is None else numbered_pictures(folder)
        problem = None
        if folder is None:
            problem = ("missing_file", f"no folder {relative(images, root)}/{name}")
        elif not numbers:
            problem = ("no_frames", f"{relative(folder, root)} has no pictures such as 00001.jpg")
        entries[name] = ClipEntry(
            clip_id=name,
            path=relative(folder or images / name, root),
            source_id=_SIDE.sub("", name),
            split=part,
            problem=problem,
        )
    return sorted(entries.values(), key=lambda entry: entry.clip_id)


def _whole_clips(root: Path) -> list[ClipEntry]:
    """The variant of whole videos."""
    videos, annotated = _videos(root), _annotated(root)
    pairs = _of_two(annotated)
    if not any(name.lower() in videos for name in annotated):
        raise layout_error(f"{root} has no video that the annotations name", (_VIDEO_LAYOUT,))
    entries = []
    for name, (part, _) in annotated.items():
        source = _SIDE.sub("", name)
        paths = videos.get(source.lower(), [])
        problem = None
        if source in pairs:
            problem = ("bad_annotation", "the video shows two people: take the pictures of each (aff-wild2)")
        elif not paths:
            problem = ("missing_file", f"no video {name}.mp4 or {name}.avi")
        elif len(paths) > 1:
            problem = ("bad_annotation", f"several videos {name}: {', '.join(paths)}")
        entries.append(
            ClipEntry(
                clip_id=f"{name}{_WHOLE}",
                path=paths[0] if paths else f"{name}.mp4",
                source_id=source,
                split=part,
                problem=problem,
            )
        )
    return sorted(entries, key=lambda entry: entry.clip_id)


def action_units(root: Path) -> Iterator[AuRow]:
    """Yield labels video by video: of frames with a picture, and of whole videos, where there are some.

    Args:
        root: As for :func:`list_clips`.

    Raises:
        DatasetError: If the folder is not laid out so, or a file has a line of another kind.
    """
    videos, annotated, patterns = _videos(root), _annotated(root), Patterns(UNITS)
    pairs = _of_two(annotated)
    is_whole = any(name.lower() in videos for name in annotated)
    images = None if is_whole and not _has_images(root) else _images(root)
    for name, (_, path) in annotated.items():
        folder = None if images is None else find(images, name)
        numbers = {} if folder is None else numbered_pictures(folder)
        whole = len(videos.get(name.lower(), ())) == 1 and name not in pairs
        if not numbers and not whole:
            continue
        for number, codes in _coded(path):
            labels = patterns.of(codes)
            if number in numbers:
                yield AuRow(clip_id=name, frame_index=numbers[number], labels=labels)
            if whole:
                yield AuRow(clip_id=f"{name}{_WHOLE}", frame_index=number - 1, labels=labels)


def _of_two(names: Iterable[str]) -> set[str]:
    """Videos in which two people are annotated."""
    return {_SIDE.sub("", name) for name in names if _SIDE.search(name)}


def _videos(root: Path) -> dict[str, list[str]]:
    """Lower-case name without suffix to the paths of the videos below the root."""
    paths: dict[str, list[str]] = {}
    for item in everything(root):
        if item.kind == FILE and is_video(item.path):
            paths.setdefault(stem(item.path.rpartition("/")[2]).lower(), []).append(item.path)
    return paths


def _coded(path: Path) -> Iterator[tuple[int, list[int]]]:
    """Number of each frame of a file, and the labels of :data:`UNITS`."""
    lines = read_text(path).splitlines()
    head = [cell.strip().lower() for cell in lines[0].split(",")] if lines else []
    absent = [f"AU{unit}" for unit in UNITS if f"au{unit}" not in head]
    if absent:
        raise layout_error(f"{path} line 1 names no {', '.join(absent)}", _LAYOUT)
    columns = [head.index(f"au{unit}") for unit in UNITS]
    for line, text in enumerate(lines[1:], start=2):
        cells = text.split(",")
        if not text.strip():
            continue
        if len(cells) != len(head):
            raise DatasetError(
                f"{path} line {line} has {len(cells)} cells, expected {len(head)}", "download the file again"
            )
        yield line - 1, [_LABELS[label_of(cells[column], _CODES, path, line)] for column in columns]


def _annotated(root: Path) -> dict[str, tuple[str, Path]]:
    """Name of a video to its part and its annotations."""
    annotations: dict[str, tuple[str, Path]] = {}
    for part, path in _annotations(root):
        name = stem(path.name)
        if name in annotations:
            raise DatasetError(
                f"{path}: video {name} is in both parts", "take the annotations of one competition"
            )
        annotations[name] = (part, path)
    return annotations


def _annotations(root: Path) -> Iterator[tuple[str, Path]]:
    """Part and file of the annotations of every video."""
    base = unwrap(root, lambda folder: bool(_parts(folder)), depth=_DEPTH)
    if base is None:
        raise layout_error(f"{root} has no folder AU_Detection_Challenge/ with Train_Set/", _LAYOUT)
    for name, part in sorted(_parts(base).items()):
        for file in file_names(base / name):
            if file.lower().endswith(".txt"):
                yield part, base / name / file


def _parts(folder: Path) -> dict[str, str]:
    """Names of the folders of parts to the parts, if it is the folder of the challenge."""
    if not folder.name.lower().startswith("au_"):
        return {}
    return {name: part for name, part in parts_of(subfolders(folder)).items() if part in ("train", "val")}


def _images(root: Path) -> Path:
    for wanted in _PICTURES:
        folder = unwrap(root, partial(_is_named, wanted), depth=_DEPTH)
        if folder is not None:
            # Some releases have the folders of videos one folder further down, of the same name.
            inner = find(folder, wanted)
            return inner if inner is not None and inner.is_dir() else folder
    raise layout_error(f"{root} has no folder {_PICTURES[0]}/ with folders of videos", _LAYOUT)


def _has_images(root: Path) -> bool:
    return any(unwrap(root, partial(_is_named, wanted), depth=_DEPTH) is not None for wanted in _PICTURES)


def _is_named(name: str, folder: Path) -> bool:
    return folder.name.lower() == name
