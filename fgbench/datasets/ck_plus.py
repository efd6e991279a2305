"""Adapter of CK+ (Extended Cohn-Kanade): sequences from neutral to the peak of an expression.

Layouts::

    cohn-kanade-images/S###/###/S###_###_########.png    frames of a sequence      (variant ``sequences``)
    Emotion/S###/###/*_emotion.txt                       a code as a float; missing for many sequences
    <emotion>/S###_###_########.png                      "CK+48": cropped peaks    (variant ``48``)

Labels: anger, contempt, disgust, fear, happiness, sadness, surprise, and neutral. The last three frames of a
labelled sequence are the peak. Its first frame is a second entry ``S###_###-neutral`` of the same subject; a
recipe whose label set has no neutral (``ck-plus-6``, ``ck-plus-contempt``) leaves these out. The paper's
seven classes are the six basic ones and neutral (section V-A; recipe ``ck-plus``). The benchmarks with 6, 7
(either) and 8 classes are not comparable with each other.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from fgbench.datasets._peaks import lost_peak_and_neutral, peak_and_neutral
from fgbench.datasets._tables import label_of, read_lines
from fgbench.records import ClipEntry

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
_SEQUENCES = "cohn-kanade-images/S###/###/*.png and Emotion/S###/###/*_emotion.txt"
_CROPPED = "CK+48/<emotion>/S###_###_########.png"

CARD = Card(
    title="CK+ (Extended Cohn-Kanade)",
    kind="image",
    licence="research only, after a signed agreement; few subjects may be shown in print",
    citation="Lucey et al., The Extended Cohn-Kanade Dataset (CK+), CVPR Workshops 2010",
    request="Affect Analysis Group of the University of Pittsburgh (Jeffrey Cohn), page of the CK+ database",
    protocol="10 folds by subject; last three frames are the peak, the first is neutral",
    layouts=(_SEQUENCES, _CROPPED),
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
    ),
    totals_source="Lucey et al. 2010, table 3 (327 labelled sequences); three peaks of each in CK+48",
)


def list_clips(root: Path, variant: str = "sequences") -> list[ClipEntry]:
    """Labelled sequences with their neutral first frames, or cropped peaks, ordered by id.

    Args:
        root: Folder with one of the layouts above, possibly some folders up.
        variant: ``"sequences"`` or ``"48"``.

    Raises:
        DatasetError: If the folder is not laid out so, or a label file holds something else than a code.
    """
    found = list(_cropped(root) if variant == "48" else _sequences(root))
    return sorted(found, key=lambda entry: entry.clip_id)


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
    root: Path, images: Path, place: tuple[str, str], name: str, label_file: Path
) -> Iterator[ClipEntry]:
    lines = list(read_lines(label_file, 1, "3.0000000e+00"))
    number, (code,) = lines[0] if lines else (1, [""])
    label = label_of(code, _CODES, label_file, number)
    folder: Path | None = images
    for part in place:
        folder = folder and find(folder, part)
    if folder is None:
        path = relative(images.joinpath(*place), root)
        problem = ("missing_file", f"no folder {path}")
        yield from lost_peak_and_neutral(name, path, label=label, subject=place[0].upper(), problem=problem)
        return
    yield from peak_and_neutral(folder, root, name=name, label=label, subject=place[0].upper())


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
