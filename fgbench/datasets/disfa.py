"""Adapter of DISFA: 27 subjects who watch a film, with the intensities of action units in every frame.

Layout::

    Videos_LeftCamera/LeftVideoSN001_comp.avi        (variant ``left``)
    Video_RightCamera/RightVideoSN001_comp.avi       (variant ``right``; the folder has no s)
    ActionUnit_Labels/SN001/SN001_au1.txt            lines "frame,intensity"

Labels: eight action units (1 2 4 6 9 12 25 26), present from intensity 2 of 5 on. There are no classes of
expressions. Frames are counted from 1 in the files and from 0 in fgbench: frame 1 is the first of the video,
and a file that begins with frame 0 is refused. Both cameras show the same moments and have the same labels.
Numbers of subjects have gaps (SN001 to SN033).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fgbench.datasets._card import WHOLE, Card, Variant
from fgbench.datasets._folders import file_names, layout_error, prefix, relative, stem, subfolders, unwrap
from fgbench.datasets._tables import label_of, read_text, whole_number
from fgbench.datasets._unit_names import INTENSITIES, Patterns, presence
from fgbench.errors import DatasetError
from fgbench.media.kinds import is_video
from fgbench.records import AuRow, ClipEntry

UNITS = (1, 2, 4, 6, 9, 12, 25, 26)
"""Action units of the benchmark; the release has 5, 15, 17 and 20 too."""

_SUBJECT = re.compile(r"SN\d{3}", re.IGNORECASE)
_CAMERAS = {
    "left": ("Videos_LeftCamera", "Video_LeftCamera"),
    "right": ("Video_RightCamera", "Videos_RightCamera"),
}
_LAYOUTS = {
    camera: f"{folders[0]}/{camera.title()}VideoSN001_comp.avi, and ActionUnit_Labels/SN001/SN001_au1.txt "
    "with lines frame,intensity"
    for camera, folders in _CAMERAS.items()
}

CARD = Card(
    title="DISFA (Denver Intensity of Spontaneous Facial Action)",
    kind="au",
    licence="non-commercial research only, after a signed agreement",
    citation="Mavadati et al., DISFA: A Spontaneous Facial Action Intensity Database, IEEE Transactions on "
    "Affective Computing 2013",
    request="Mohammad Mahoor, University of Denver, page of DISFA",
    protocol="3 folds by subject, F1 of 8 action units at intensity 2 or more: fgbench train au --folds 3; "
    "without folds, parts by subject",
    layouts=tuple(_LAYOUTS.values()),
    variants=(
        Variant(name="left", scheme="none", about="left camera", totals={WHOLE: 27}, subjects=27),
        Variant(name="right", scheme="none", about="right camera", totals={WHOLE: 27}, subjects=27),
    ),
    totals_source="Mavadati et al. 2013: 27 subjects, one video of each camera",
    unconfirmed=(
        "which subjects the three folds of published results have: folds are dealt by fgbench",
        "that the first frame of a video, decoded, is frame 1 of the labels in both cameras",
    ),
)


def list_clips(root: Path, variant: str = "left") -> list[ClipEntry]:
    """Videos of one camera, without labels, ordered by id (``SN001-left``).

    Args:
        root: Folder with the layout above, possibly some folders up.
        variant: ``"left"`` or ``"right"``.

    Raises:
        DatasetError: If the folder is not laid out so.
    """
    layout = (_LAYOUTS[variant],)
    labels = _labels_folder(root)
    folder = _videos_folder(root, variant)
    if folder is None:
        other = "right" if variant == "left" else "left"
        hint = f"; it has that of the {other} camera" if _videos_folder(root, other) is not None else ""
        raise layout_error(f"{root} has no folder {_CAMERAS[variant][0]}/ with videos{hint}", layout)
    videos = {}
    for name in file_names(folder):
        match = _SUBJECT.search(stem(name))
        if is_video(name) and match is not None:
            videos[match[0].upper()] = name
    before = prefix(folder, root)
    entries = []
    for subject, files in _subjects(labels).items():
        name = videos.get(subject, f"{variant.title()}Video{subject}_comp.avi")
        absent = [str(unit) for unit in UNITS if unit not in files]
        problem = None
        if absent:
            problem = (
                "missing_labels",
                f"{relative(labels, root)}/{subject} has no files of action units {', '.join(absent)}",
            )
        entries.append(
            ClipEntry(
                clip_id=f"{subject}-{variant}",
                path=before + name,
                subject_id=subject,
                source_id=subject,
                problem=problem,
            )
        )
    return entries


def action_units(root: Path) -> Iterator[AuRow]:
    """Yield labels of all frames of both cameras, subject by subject; none of subjects without a file of a
    unit.

    Args:
        root: As for :func:`list_clips`.

    Raises:
        DatasetError: If the folder is not laid out so, or a file has a line of another kind.
    """
    patterns = Patterns(UNITS)
    for subject, files in _subjects(_labels_folder(root)).items():
        if not all(unit in files for unit in UNITS):
            continue
        units = [_intensities(files[unit]) for unit in UNITS]
        for index in sorted(set().union(*units)):
            labels = patterns.of([presence(unit.get(index)) for unit in units])
            for camera in _CAMERAS:
                yield AuRow(clip_id=f"{subject}-{camera}", frame_index=index, labels=labels)


def _videos_folder(root: Path, camera: str) -> Path | None:
    wanted = [name.lower() for name in _CAMERAS[camera]]
    return unwrap(root, lambda inner: inner.name.lower() in wanted and any(map(is_video, file_names(inner))))


def _labels_folder(root: Path) -> Path:
    labels = unwrap(
        root, lambda folder: folder.name.lower() == "actionunit_labels" and bool(_subjects(folder))
    )
    if labels is None:
        raise layout_error(
            f"{root} has no folder ActionUnit_Labels/ with folders such as SN001/", tuple(_LAYOUTS.values())
        )
    return labels


def _subjects(labels: Path) -> dict[str, dict[int, Path]]:
    """Subject to action unit to file of intensities."""
    files: dict[str, dict[int, Path]] = {}
    for name, folder in subfolders(labels).items():
        if not _SUBJECT.fullmatch(name):
            continue
        units = files.setdefault(name.upper(), {})
        for file in file_names(folder):
            match = re.fullmatch(rf"{name}_au(\d+)\.txt", file, re.IGNORECASE)
            if match is not None:
                units[int(match[1])] = folder / file
    return dict(sorted(files.items()))


def _intensities(path: Path) -> dict[int, int]:
    """Index of a frame, from 0, to its intensity."""
    intensities: dict[int, int] = {}
    for line, text in enumerate(read_text(path).splitlines(), start=1):
        if not text.strip():
            continue
        number, comma, intensity = text.partition(",")
        frame = whole_number(number.strip())
        if not comma or frame is None:
            raise DatasetError(
                f"{path} line {line} is {text[:60]!r}", "expected lines frame,intensity such as 1,0"
            )
        index = frame - 1
        if index < 0 or index in intensities:
            what = "counts frames from 0" if index < 0 else f"names frame {index + 1} again"
            raise DatasetError(f"{path} line {line} {what}", "expected every frame once, counted from 1")
        intensities[index] = int(label_of(intensity, INTENSITIES, path, line))
    return intensities
