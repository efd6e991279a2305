"""Adapter of SFEW 2.0: frames of films, the data of the EmotiW 2015 challenge.

Layouts::

    {Train,Val}/<emotion>/<movie>_<time>_<frame>.png                  whole frames       (variant ``whole``)
    {Train,Val}_Aligned_Faces/<emotion>/<movie>_<time>_<frame>.png    aligned by owners  (variant ``aligned``)

Labels: the six basic expressions and neutral. The folders of aligned faces also lie inside ``Train/`` and
``Val/``, and that of Val has ``_new`` at its end in some copies. The film is the source of a picture, so that
pictures held out of Train share no film with the rest. The labels of the test part are not public: results
are reported on the official Val. A name may occur in both parts, so the part belongs to the id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._emotiw import FOLDERS
from fgbench.datasets._folders import (
    find,
    labelled_folders,
    layout_error,
    part_folder,
    pictures,
    prefix,
    stem,
    unwrap,
)
from fgbench.records import ClipEntry

_WHOLE = {"train": ("Train",), "val": ("Val", "Validation")}
_ALIGNED = {
    "train": ("Train_Aligned_Faces", "Train_Aligned_Faces_new"),
    "val": ("Val_Aligned_Faces", "Val_Aligned_Faces_new"),
}
_NAME = re.compile(r"(?P<movie>.+)_\d+_\d+")
_EMOTIONS = "{Angry,Disgust,Fear,Happy,Neutral,Sad,Surprise}/<movie>_<time>_<frame>.png"
_WHOLE_LAYOUT = f"{{Train,Val}}/{_EMOTIONS}"
_ALIGNED_LAYOUT = f"{{Train,Val}}_Aligned_Faces/{_EMOTIONS}"

CARD = Card(
    title="SFEW 2.0 (Static Facial Expressions in the Wild)",
    kind="image",
    licence="research only, after a signed agreement",
    citation="Dhall et al., Static Facial Expression Analysis in Tough Conditions, ICCV Workshops 2011; "
    "Dhall et al., Video and Image Based Emotion Recognition Challenges in the Wild: EmotiW 2015, ICMI 2015",
    request="Abhinav Dhall, organiser of the EmotiW challenges",
    protocol="train on Train, report the official Val; films of Train are held out to choose on",
    layouts=(_WHOLE_LAYOUT, _ALIGNED_LAYOUT),
    variants=(
        Variant(name="whole", scheme="ekman7", about="whole frames", totals={"train": 958, "val": 436}),
        Variant(name="aligned", scheme="ekman7", about="faces that the owners have found and aligned"),
    ),
    totals_source="Dhall et al., EmotiW 2015",
    unconfirmed=("number of pictures of each class", "number of aligned faces"),
)


def list_clips(root: Path, variant: str = "whole") -> list[ClipEntry]:
    """Pictures as clips of one frame, ordered by id.

    Args:
        root: Folder with the layout above, possibly some folders up.
        variant: ``"whole"`` or ``"aligned"``.

    Raises:
        DatasetError: If the folder is not laid out so.
    """
    is_aligned = variant == "aligned"
    layout = (_ALIGNED_LAYOUT if is_aligned else _WHOLE_LAYOUT,)
    parts = _ALIGNED if is_aligned else _WHOLE
    base = root if is_aligned else unwrap(root, _has_train)
    entries: list[ClipEntry] = []
    for part, names in parts.items():
        folder = _aligned(root, names) if is_aligned else base and part_folder(base, part, *names)
        if folder is None:
            raise layout_error(f"{base or root} has no folder {names[0]}/{_hint(root, variant)}", layout)
        inside = _inside(folder, is_aligned=is_aligned)
        if inside is None:
            raise layout_error(
                f"{folder} has no folders named as emotions (Angry, ..., Surprise){_hint(root, variant)}",
                layout,
            )
        entries += _part(inside, part, root)
    return sorted(entries, key=lambda entry: entry.clip_id)


def _has_train(folder: Path) -> bool:
    return part_folder(folder, "train", *_WHOLE["train"]) is not None


def _aligned(root: Path, names: tuple[str, ...]) -> Path | None:
    wanted = {name.lower() for name in names}
    return unwrap(root, lambda folder: folder.name.lower() in wanted)


def _inside(folder: Path, *, is_aligned: bool) -> Path | None:
    """The folder with the emotions: the part, or a folder in it that is not of the other variant."""

    def is_it(inner: Path) -> bool:
        is_other = not is_aligned and "aligned" in inner.name.lower()
        return not is_other and bool(labelled_folders(inner, FOLDERS))

    return unwrap(folder, is_it, depth=1)


def _hint(root: Path, variant: str) -> str:
    """Advice on the recipe, if the folder holds the other variant."""
    if variant == "whole" and _aligned(root, _ALIGNED["train"]) is not None:
        return "; use the recipe sfew-aligned"
    if variant == "aligned" and unwrap(root, lambda folder: find(folder, "Train") is not None) is not None:
        return "; use the recipe sfew"
    return ""


def _part(folder: Path, part: str, root: Path) -> Iterator[ClipEntry]:
    for inner, label in labelled_folders(folder, FOLDERS).items():
        before = prefix(inner, root)
        for name in pictures(inner):
            clip_id, path = f"{part}/{stem(name)}", before + name
            match = _NAME.fullmatch(stem(name))
            if match is None:
                detail = f"{path} does not name its film, expected <movie>_<time>_<frame>.png"
                problem = ("unknown_source", detail)
                yield ClipEntry(clip_id=clip_id, path=path, label=label, split=part, problem=problem)
                continue
            yield ClipEntry(
                clip_id=clip_id, path=path, label=label, key_frame=0, source_id=match["movie"], split=part
            )
