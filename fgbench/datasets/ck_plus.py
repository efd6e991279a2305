"""Adapter of CK+ (Extended Cohn-Kanade): sequences from neutral to the peak of an expression.

Layouts::

    cohn-kanade-images/S###/###/S###_###_########.png    frames of a sequence      (variant ``sequences``)
    Emotion/S###/###/*_emotion.txt                       a code as a float; missing for many sequences
    FACS/S###/###/*_facs.txt                             units and intensities of the peak (variant ``units``)
    <emotion>/S###_###_########.png                      "CK+48": cropped peaks    (variant ``48``)

Labels: anger, contempt, disgust, fear, happiness, sadness, surprise, and neutral. The last three frames of a
labelled sequence are the peak. Its first frame is a second entry ``S###_###-neutral`` of the same subject; a
recipe whose label set has no neutral (``ck-plus-6``, ``ck-plus-contempt``) leaves these out. The paper's
seven classes are the six basic ones and neutral (section V-A; recipe ``ck-plus``). The benchmarks with 6, 7
(either) and 8 classes are not comparable with each other.

Action units: 30 (:data:`UNITS`), present if listed in the file of the peak, whatever their intensity
(0 means not judged), else absent. They hold for the frame that the file is named after
and the two before it (the peak of the labels of expressions; in FACS files one frame alone is coded); in the
first frame, which is neutral, all are absent. All sequences with such a file have labels, also those without
an expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fgbench.datasets._card import WHOLE, Card, Variant
from fgbench.datasets._folders import (
    file_names,
    find,
    labelled_folders,
    layout_error,
    pictures,
    prefix,
    relative,
    stem,
    subfolders,
    unwrap,
)
from fgbench.datasets._peaks import PEAK_FRAMES, lost_peak_and_neutral, peak_and_neutral
from fgbench.datasets._tables import decimal_number, label_of, read_lines
from fgbench.datasets._unit_names import Patterns
from fgbench.errors import DatasetError
from fgbench.records import AuRow, ClipEntry

_CODES = dict(
    enumerate(("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"))
)
_FOLDERS = {name: name for name in _CODES.values() if name != "neutral"} | {"happy": "happiness"}
_COUNTS = {
    "anger": 45,
    "contempt": 18,
    "disgust": 59,
    "fear": 25,
    "happiness": 69,
    "sadness": 28,
    "surprise": 83,
}
UNITS = (*range(1, 3), *range(4, 8), *range(9, 19), 20, 21, *range(23, 30), 31, 34, 38, 39, 43)
"""Action units of the release (Lucey et al. 2010, table 1); codes of head and eyes are skipped."""

_SEQUENCES = "cohn-kanade-images/S###/###/*.png and Emotion/S###/###/*_emotion.txt"
_UNITS = "cohn-kanade-images/S###/###/*.png and FACS/S###/###/*_facs.txt"
_LAST_UNIT = 99
_FACS_ENDING = "_facs.txt"
_CROPPED = "CK+48/<emotion>/S###_###_########.png"

CARD = Card(
    title="CK+ (Extended Cohn-Kanade)",
    kind="image",
    licence="research only, after a signed agreement; few subjects may be shown in print",
    citation="Lucey et al., The Extended Cohn-Kanade Dataset (CK+), CVPR Workshops 2010",
    request="Affect Analysis Group of the University of Pittsburgh (Jeffrey Cohn), page of the CK+ database",
    protocol="10 folds by subject; last three frames are the peak, the first is neutral",
    layouts=(_SEQUENCES, _UNITS, _CROPPED),
    variants=(
        Variant(
            name="sequences",
            scheme="ekman8",
            about="labelled sequences, and the neutral first frame of each",
            totals={WHOLE: 2 * 327},
            classes={WHOLE: {**_COUNTS, "neutral": 327}},
            subjects=118,
        ),
        Variant(
            name="48",
            scheme="ck7",
            about="cropped peaks of 48x48 px, three of each sequence",
            totals={WHOLE: 981},
            classes={WHOLE: {label: 3 * count for label, count in _COUNTS.items()}},
            subjects=118,
        ),
        Variant(
            name="units",
            scheme="none",
            about="sequences with FACS codes, their peak and first frame, for action units",
            totals={WHOLE: 593},
            subjects=123,
        ),
    ),
    totals_source="Lucey et al. 2010, table 3 (327 labelled of 593 sequences, 118 of 123 subjects); three "
    "peaks of each labelled one in CK+48",
    unconfirmed=("that the two frames before the coded one show its action units",),
)


def list_clips(root: Path, variant: str = "sequences") -> list[ClipEntry]:
    """Labelled sequences with their neutral first frames, or cropped peaks, ordered by id.

    Args:
        root: Folder with one of the layouts above, possibly some folders up.
        variant: ``"sequences"``, ``"units"`` or ``"48"``.

    Raises:
        DatasetError: If the folder is not laid out so, or a label file does not hold a code.
    """
    listed = {"sequences": _sequences, "units": _with_units, "48": _cropped}[variant]
    return sorted(listed(root), key=lambda entry: entry.clip_id)


def action_units(root: Path) -> Iterator[AuRow]:
    """Yield labels of the peak and of the first frame of all sequences with FACS codes.

    Args:
        root: As for :func:`list_clips`.

    Raises:
        DatasetError: If the folder is not laid out so, or a file has a line of another kind.
    """
    patterns = Patterns(UNITS)
    neutral = patterns.of([-1] * len(UNITS))
    for coded in _coded(root):
        peak = _peak_of(coded)
        if not peak:
            continue
        units = _facs(coded.file)
        labels = patterns.of([1 if unit in units else -1 for unit in UNITS])
        yield AuRow(clip_id=coded.name, frame_index=0, labels=neutral)
        yield AuRow(clip_id=f"{coded.name}-neutral", frame_index=0, labels=neutral)
        for index in peak:
            yield AuRow(clip_id=coded.name, frame_index=index, labels=labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coded:
    """A sequence with FACS codes: its id, its subject, the codes, and its pictures if they exist."""

    name: str
    subject: str
    file: Path
    folder: Path | None


def _peak_of(coded: _Coded) -> range:
    """Frames of a sequence for which its codes hold; empty if it has too few pictures."""
    names = [] if coded.folder is None else [stem(name).lower() for name in pictures(coded.folder)]
    if len(names) < 2:
        return range(0)
    own = coded.file.name[: -len(_FACS_ENDING)].lower()
    last = names.index(own) if own in names else len(names) - 1
    return range(max(1, last + 1 - PEAK_FRAMES), last + 1)


def _with_units(root: Path) -> Iterator[ClipEntry]:
    """Sequences with FACS codes, each with its first frame and its peak."""
    images = _images(root, _UNITS)
    for coded in _coded(root):
        path = relative(coded.folder or images.joinpath(*coded.name.split("_")), root)
        peak = _peak_of(coded)
        problem = None
        if coded.folder is None:
            problem = ("missing_file", f"no folder {path}")
        elif not peak:
            problem = ("no_frames", f"{path} has {len(pictures(coded.folder))} pictures")
        yield ClipEntry(
            clip_id=coded.name,
            path=path,
            subject_id=coded.subject,
            source_id=coded.name,
            selected_frames=None if problem else (0, *peak),
            stills_only=not problem,
            problem=problem,
        )


def _coded(root: Path) -> Iterator[_Coded]:
    """All sequences with a file of FACS codes."""
    images = _images(root, _UNITS)
    base = unwrap(root, lambda folder: folder.name.lower().startswith("facs") and bool(subfolders(folder)))
    if base is None:
        raise layout_error(f"{root} has no folder FACS/ with folders of subjects", (_UNITS,))
    for subject, inner in subfolders(base).items():
        for number, folder in subfolders(inner).items():
            person = find(images, subject)
            for name in file_names(folder):
                if name.lower().endswith(_FACS_ENDING):
                    yield _Coded(
                        name=f"{subject.upper()}_{number}",
                        subject=subject.upper(),
                        file=folder / name,
                        folder=person and find(person, number),
                    )


def _facs(path: Path) -> set[int]:
    """Numbers of the units in a file of FACS codes."""
    units = set()
    for line, words in read_lines(path, 2, "   1.2000000e+01   3.0000000e+00"):
        unit, intensity = (decimal_number(word) for word in words)
        if unit is None or unit != int(unit) or not 1 <= unit <= _LAST_UNIT or intensity is None:
            raise DatasetError(
                f"{path} line {line}: unit {words[0]!r} of intensity {words[1]!r}",
                "expected the number of a unit and its intensity, such as 1.2000000e+01 3.0000000e+00",
            )
        units.add(int(unit))
    return units


def _images(root: Path, layout: str) -> Path:
    images = unwrap(root, lambda folder: folder.name.lower() == "cohn-kanade-images")
    if images is None:
        raise layout_error(f"{root} has no folder cohn-kanade-images/", (layout,))
    return images


def _sequences(root: Path) -> Iterator[ClipEntry]:
    images = unwrap(root, lambda folder: folder.name.lower() == "cohn-kanade-images")
    emotions = unwrap(root, _holds_emotions)
    if images is None or emotions is None:
        lacking = "cohn-kanade-images/" if images is None else "Emotion/ with folders of subjects"
        hint = "; use the recipe ck-plus-48" if unwrap(root, _is_cropped) is not None else ""
        raise layout_error(f"{root} has no folder {lacking}{hint}", (_SEQUENCES,))
    for subject, labels in subfolders(emotions).items():
        for number, folder in subfolders(labels).items():
            name = f"{subject.upper()}_{number}"
            for label_file in file_names(folder):
                if label_file.lower().endswith("_emotion.txt"):
                    yield from _sequence(root, images, (subject, number), name, folder / label_file)


def _sequence(
    root: Path, images: Path, folders: tuple[str, str], name: str, label_file: Path
) -> Iterator[ClipEntry]:
    lines = list(read_lines(label_file, 1, "3.0000000e+00"))
    number, (code,) = lines[0] if lines else (1, [""])
    label = label_of(code, _CODES, label_file, number)
    folder: Path | None = images
    for part in folders:
        folder = folder and find(folder, part)
    if folder is None:
        path = relative(images.joinpath(*folders), root)
        problem = ("missing_file", f"no folder {path}")
        yield from lost_peak_and_neutral(name, path, label=label, subject=folders[0].upper(), problem=problem)
        return
    yield from peak_and_neutral(folder, root, name=name, label=label, subject=folders[0].upper())


def _holds_emotions(folder: Path) -> bool:
    return folder.name.lower() == "emotion" and bool(subfolders(folder))


def _is_cropped(folder: Path) -> bool:
    return len(labelled_folders(folder, _FOLDERS)) >= 6


def _cropped(root: Path) -> Iterator[ClipEntry]:
    base = unwrap(root, _is_cropped)
    if base is None:
        raise layout_error(f"{root} has no folders named as emotions (anger, ..., surprise)", (_CROPPED,))
    for folder, label in labelled_folders(base, _FOLDERS).items():
        before = prefix(folder, root)
        for name in pictures(folder):
            subject, _, rest = stem(name).partition("_")
            sequence = rest.partition("_")[0]
            if not (sequence and subject[:1].upper() == "S" and subject[1:].isdecimal()):
                raise layout_error(
                    f"{folder / name} does not name its subject and sequence, expected "
                    "S###_###_########.png; folds by subject need it",
                    (_CROPPED,),
                )
            yield ClipEntry(
                clip_id=stem(name),
                path=before + name,
                label=label,
                key_frame=0,
                subject_id=subject.upper(),
                source_id=f"{subject.upper()}_{sequence}",
            )
