"""Adapter of AFEW 7.0: clips of films, the data of the EmotiW 2017 challenge.

Layout: ``{Train,Val}/{Angry,Disgust,Fear,Happy,Neutral,Sad,Surprise}/*.avi``. Labels: the six basic
expressions and neutral. Two names of clips occur in both parts, so the part belongs to the id
(``train/000046280``). The labels of the test part are not public: results are reported on the official Val.
"""

from __future__ import annotations

from pathlib import Path

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._emotiw import FOLDERS
from fgbench.datasets._folders import (
    file_names,
    labelled_folders,
    layout_error,
    part_folder,
    prefix,
    stem,
    unwrap,
)
from fgbench.media.kinds import is_video
from fgbench.records import ClipEntry

_PARTS = {"train": ("Train", "Train_AFEW"), "val": ("Val", "Val_AFEW", "Validation")}
_LAYOUT = ("{Train,Val}/{Angry,Disgust,Fear,Happy,Neutral,Sad,Surprise}/*.avi",)

CARD = Card(
    title="AFEW 7.0 (Acted Facial Expressions in the Wild)",
    kind="video",
    licence="research only, after a signed agreement",
    citation="Dhall et al., Collecting Large, Richly Annotated Facial-Expression Databases from Movies, IEEE "
    "MultiMedia 2012; EmotiW 2017",
    request="Abhinav Dhall, organiser of the EmotiW challenges",
    protocol="train on Train, report the official Val; a tenth of Train is held out to choose on",
    layouts=_LAYOUT,
    variants=(
        Variant(
            scheme="ekman7",
            totals={"train": 773, "val": 383},
            classes={
                "train": dict(zip(FOLDERS.values(), (133, 74, 81, 150, 144, 117, 74), strict=True)),
                "val": dict(zip(FOLDERS.values(), (64, 40, 46, 63, 63, 61, 46), strict=True)),
            },
        ),
    ),
    totals_source="statistics of the EmotiW 2016 and 2017 challenges",
    unconfirmed=("that the folders are also distributed as Train_AFEW and Val_AFEW",),
)


def list_clips(root: Path) -> list[ClipEntry]:
    """Clips, ordered by id.

    Args:
        root: Folder with the layout above, possibly some folders up.

    Raises:
        DatasetError: If the folder is not laid out so.
    """
    base = unwrap(root, lambda folder: part_folder(folder, "train", *_PARTS["train"]) is not None)
    if base is None:
        raise layout_error(f"{root} has no folder Train/", _LAYOUT)
    entries = []
    for part, names in _PARTS.items():
        folder = part_folder(base, part, *names)
        if folder is None:
            raise layout_error(f"{base} has no folder {names[0]}/", _LAYOUT)
        inside = unwrap(folder, lambda inner: bool(labelled_folders(inner, FOLDERS)), depth=1)
        if inside is None:
            raise layout_error(f"{folder} has no folders named as emotions (Angry, ..., Surprise)", _LAYOUT)
        for inner, label in labelled_folders(inside, FOLDERS).items():
            before = prefix(inner, root)
            for name in file_names(inner):
                if is_video(name):
                    entries.append(
                        ClipEntry(
                            clip_id=f"{part}/{stem(name)}",
                            path=before + name,
                            label=label,
                            split=part,
                        )
                    )
    return sorted(entries, key=lambda entry: entry.clip_id)
