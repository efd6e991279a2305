"""Adapter of DFEW: clips of films with the majority label of ten annotators.

Layouts::

    EmoLabel_DataSplit/{train,test}(single-labeled)/set_k.csv    video_name,label; k is 1 to 5
    Clip/jpg_256/00001/*.jpg             frames, cropped to the face               (variant ``frames``)
    Clip/clip_224x224/00001/*.jpg        the same under the name of the owner's release
    Clip/clip_224x224_16f/00001/*.jpg    16 frames of each clip                    (variant ``16f``)

Labels: the six basic expressions and neutral, codes 1 Happy 2 Sad 3 Neutral 4 Angry 5 Surprise 6 Disgust
7 Fear. Lists name clips by number (``1``), folders by five digits (``00001``). Folders of clips may lie in
further ones, as the parts of the download do. The clips without a single label are in no list.

Known habit: the epoch is chosen on the list that is reported. The lists are read as five folds; the protocol
chooses the one for selection, which is never the tested one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fgbench.datasets._card import WHOLE, Card, Variant
from fgbench.datasets._fold_lists import read_folds
from fgbench.datasets._folders import find, layout_error, prefix, stem, subfolders, unwrap
from fgbench.datasets._tables import label_of, read_table, whole_number
from fgbench.errors import DatasetError
from fgbench.records import ClipEntry

N_FOLDS = 5
"""Official folds."""

_CODES = dict(enumerate(("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear"), start=1))
_FRAMES = {
    "frames": ("jpg_256", "clip_224x224"),
    "16f": ("clip_224x224_16f",),
}
_LISTS = "EmoLabel_DataSplit/{train,test}(single-labeled)/set_{1..5}.csv with the columns video_name,label"
_LAYOUTS = {name: f"{_LISTS}, and Clip/{folders[0]}/00001/*.jpg" for name, folders in _FRAMES.items()}

CARD = Card(
    title="DFEW (Dynamic Facial Expression in the Wild)",
    kind="video",
    licence="non-commercial research only, after a signed agreement",
    citation="Jiang et al., DFEW: A Large-Scale Database for Recognizing Dynamic Facial Expressions in the "
    "Wild, ACM Multimedia 2020",
    request="Southeast University, Affective Information Processing Lab, page of the DFEW dataset",
    protocol="5 official folds, each tested once; a tenth of the other clips is chosen on",
    layouts=tuple(_LAYOUTS.values()),
    variants=(
        Variant(name="frames", scheme="ekman7", about="all frames, cropped", totals={WHOLE: 11697}),
        Variant(name="16f", scheme="ekman7", about="16 frames of each clip", totals={WHOLE: 11697}),
    ),
    totals_source="Jiang et al. 2020: clips with a single label",
    unconfirmed=(
        "that the lists of test clips of the five folds have no clip in common",
        "that jpg_256 and clip_224x224 hold the same frames",
    ),
)


def list_clips(root: Path, variant: str = "frames") -> list[ClipEntry]:
    """Clips with a single label, ordered by id.

    Args:
        root: Folder with one of the layouts above, possibly some folders up.
        variant: ``"frames"`` or ``"16f"``.

    Raises:
        DatasetError: If the folder is not laid out so, or a list has a row of another kind.
    """
    layout = (_LAYOUTS[variant],)
    base = unwrap(root, lambda folder: find(folder, "EmoLabel_DataSplit") is not None)
    lists = base and find(base, "EmoLabel_DataSplit")
    if base is None or lists is None:
        raise layout_error(f"{root} has no folder EmoLabel_DataSplit/", layout)
    clips = find(base, "Clip")
    if clips is None:
        raise layout_error(f"{base} has no folder Clip/", layout)
    frames = find(clips, *_FRAMES[variant])
    if frames is None:
        others = [folder for names in _FRAMES.values() if (folder := find(clips, *names)) is not None]
        hint = f"; {others[0].name}/ is for the recipe dfew{'-16f' * (variant == 'frames')}" if others else ""
        raise layout_error(f"{clips} has no folder {_FRAMES[variant][0]}/{hint}", layout)
    trains, tests = (
        [list(_read(_list(lists, part, fold, layout))) for fold in range(1, N_FOLDS + 1)]
        for part in ("train", "test")
    )
    paths = _paths(frames, root)
    before = prefix(frames, root)
    return [
        ClipEntry(
            clip_id=name,
            path=paths.get(int(name), before + name),
            label=listed.label,
            fold=listed.fold,
            problem=listed.problem,
        )
        for name, listed in read_folds(trains, tests).items()
    ]


def _list(lists: Path, part: str, fold: int, layout: tuple[str, ...]) -> Path:
    """A list of clips of one fold."""
    folder = find(lists, f"{part}(single-labeled)")
    if folder is None:
        raise layout_error(f"{lists} has no folder {part}(single-labeled)/", layout)
    path = find(folder, f"set_{fold}.csv")
    if path is None:
        raise layout_error(f"{folder} has no file set_{fold}.csv", layout)
    return path


def _read(path: Path) -> Iterator[tuple[str, str]]:
    """Id and label of the clips of a list."""
    for row in read_table(path, ("video_name", "label")):
        name = stem(row["video_name"])
        number = whole_number(name)
        if number is None:
            raise DatasetError(
                f"{path} line {row['_line']}: video_name is {row['video_name']!r}",
                "expected the number of a clip",
            )
        yield f"{number:05d}", label_of(row["label"], _CODES, path, row["_line"])


def _paths(frames: Path, root: Path) -> dict[int, str]:
    """Number of a clip to the path of its folder; folders that are no clips are searched once."""
    paths: dict[int, str] = {}
    for name, folder in subfolders(frames).items():
        inside = [(name, prefix(frames, root))]
        if whole_number(name) is None:
            before = prefix(folder, root)
            inside = [(inner, before) for inner in subfolders(folder)]
        for inner, before in inside:
            if (number := whole_number(inner)) is not None:
                paths[number] = before + inner
    return paths
