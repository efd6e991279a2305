"""Adapter of FERV39k: clips of 22 kinds of scenes, as frames cropped to the face.

Layout::

    2_ClipsforFaceCrop/<Scene>/<Emotion>/<id>/*.jpg       e.g. Action/Happy/0267/
    4_setups/All_scenes/{train,test}_All.csv              lines "Action/Happy/0267 Happy", no head

Labels: the six basic expressions and neutral. Numbers of clips begin anew in every scene, so the scene
belongs to the id (``Action/Happy/0267``). The lists are separated by spaces although they are named csv.
There is no official validation part: the protocol holds one out of train.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._folders import find, labelled_folders, layout_error, prefix, subfolders, unwrap
from fgbench.datasets._tables import named_label, read_lines
from fgbench.records import ClipEntry

_LABELS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "sad": "sadness",
    "surprise": "surprise",
}
_EXAMPLE = "Action/Happy/0267 Happy"
_LAYOUT = (
    f"4_setups/All_scenes/train_All.csv and test_All.csv with lines such as {_EXAMPLE!r}, and "
    "2_ClipsforFaceCrop/<Scene>/<Emotion>/<id>/*.jpg",
)

CARD = Card(
    title="FERV39k",
    kind="video",
    licence="non-commercial research only, after a signed agreement",
    citation="Wang et al., FERV39k: A Large-Scale Multi-Scene Dataset for Facial Expression Recognition in "
    "Videos, CVPR 2022",
    request="Fudan University, Academy for Engineering and Technology, repository wangyanckxx/FERV39k",
    protocol="official parts of all scenes: train on train, report test; a tenth of train is held out to "
    "choose on",
    layouts=_LAYOUT,
    variants=(Variant(scheme="ekman7", totals={"train": 31088, "test": 7847}),),
    totals_source="lists of the release for all scenes",
    unconfirmed=("that the emotion in a clip's path always is its label: the label of the list is taken",),
)


def list_clips(root: Path) -> list[ClipEntry]:
    """Clips, ordered by id.

    Args:
        root: Folder with the layout above, possibly some folders up.

    Raises:
        DatasetError: If the folder is not laid out so, or a list has a line of another kind.
    """
    lists = unwrap(root, lambda folder: folder.name.lower() == "all_scenes")
    if lists is None:
        raise layout_error(f"{root} has no folder 4_setups/All_scenes/", _LAYOUT)
    frames = unwrap(root, _holds_scenes)
    if frames is None:
        raise layout_error(f"{root} has no folder 2_ClipsforFaceCrop/ with folders of scenes", _LAYOUT)
    entries = []
    before = prefix(frames, root)
    for part in ("train", "test"):
        path = find(lists, f"{part}_All.csv")
        if path is None:
            raise layout_error(f"{lists} has no file {part}_All.csv", _LAYOUT)
        for line, (name, word) in read_lines(path, 2, _EXAMPLE):
            if len(PurePosixPath(name).parts) != 3:
                raise layout_error(f"{path} line {line}: {name!r} is not <Scene>/<Emotion>/<id>", _LAYOUT)
            label = named_label(word, _LABELS, path, line)
            entries.append(ClipEntry(clip_id=name, path=before + name, label=label, split=part))
    return sorted(entries, key=lambda entry: entry.clip_id)


def _holds_scenes(folder: Path) -> bool:
    if not folder.name.lower().startswith("2_clipsforfacecrop"):
        return False
    scenes = list(subfolders(folder).values())
    return bool(scenes) and bool(labelled_folders(scenes[0], _LABELS))
