"""Adapter of RAF-DB: pictures from the web with basic or compound expressions.

Layout::

    basic/EmoLabel/list_patition_label.txt           (sic) lines ``train_00001.jpg 5``
    basic/Image/aligned/train_00001_aligned.jpg      aligned to 100x100 px       (variant ``basic``)
    basic/Image/original/train_00001.jpg             original picture            (variant ``basic-original``)
    compound/...                                     the same for compound labels (``compound``)

Labels: the six basic expressions and neutral; or eleven compound ones, named by RAF-DB's order of codes.
Parts train and test are official; a validation part is held out of train by the protocol.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from fgbench.datasets._card import Card, Variant
from fgbench.datasets._folders import find, layout_error, prefix, unwrap
from fgbench.datasets._tables import label_of, read_lines
from fgbench.errors import DatasetError
from fgbench.records import ClipEntry

_BASIC = dict(enumerate(("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"), start=1))
_COMPOUND = dict(
    enumerate(
        (
            "happily surprised",
            "happily disgusted",
            "sadly fearful",
            "sadly angry",
            "sadly surprised",
            "sadly disgusted",
            "fearfully angry",
            "fearfully surprised",
            "angrily surprised",
            "angrily disgusted",
            "disgustedly surprised",
        ),
        start=1,
    )
)
_LABEL_FILES = ("list_patition_label.txt", "list_partition_label.txt")
_LAYOUT = (
    "{part}/EmoLabel/list_patition_label.txt with lines such as 'train_00001.jpg 5', and "
    "{part}/Image/{images}/"
)
_COUNTS = {
    "train": dict(zip(_BASIC.values(), (1290, 281, 717, 4772, 1982, 705, 2524), strict=True)),
    "test": dict(zip(_BASIC.values(), (329, 74, 160, 1185, 478, 162, 680), strict=True)),
}
_TOTALS = {"train": 12271, "test": 3068}

CARD = Card(
    title="RAF-DB (Real-world Affective Faces)",
    kind="image",
    licence="non-commercial research only, after a request by an academic address",
    citation="Li, Deng and Du, Reliable Crowdsourcing and Deep Locality-Preserving Learning, CVPR 2017",
    request="Weihong Deng, Beijing University of Posts and Telecommunications, page of RAF-DB",
    protocol="official parts: train on train, report test; a tenth of train is held out to choose on",
    layouts=(
        _LAYOUT.format(part="basic", images="aligned"),
        _LAYOUT.format(part="compound", images="aligned"),
    ),
    variants=(
        Variant(name="basic", scheme="ekman7", about="aligned pictures", totals=_TOTALS, classes=_COUNTS),
        Variant(
            name="basic-original", scheme="ekman7", about="whole pictures", totals=_TOTALS, classes=_COUNTS
        ),
        Variant(name="compound", scheme="raf-compound11", about="aligned pictures, compound expressions"),
    ),
    totals_source="Li, Deng and Du 2017, and the label file of the release",
    unconfirmed=("order of the compound codes", "number of compound pictures per part"),
)


def list_clips(root: Path, variant: str = "basic") -> list[ClipEntry]:
    """Pictures as clips of one frame, ordered by id.

    Args:
        root: Folder with the layout above, possibly some folders up, or ``basic/`` (``compound/``) itself.
        variant: ``"basic"``, ``"basic-original"`` or ``"compound"``.

    Raises:
        DatasetError: If the folder is not laid out so, or the label file has a line of another kind.
    """
    half = variant.partition("-")[0]
    images = "original" if variant.endswith("original") else "aligned"
    layout = (_LAYOUT.format(part=half, images=images),)
    labels = find_label_file(root, half, layout)
    base = labels.parent.parent
    folder = find(find(base, "Image") or base, images)
    if folder is None:
        raise layout_error(f"{base / 'Image'} has no folder {images}/", layout)
    codes = _COMPOUND if half == "compound" else _BASIC
    suffix = "_aligned" if images == "aligned" else ""
    entries = []
    before = prefix(folder, root)
    for line, (name, code) in read_lines(labels, 2, "train_00001.jpg 5"):
        pure = PurePosixPath(name)
        part = pure.stem.partition("_")[0].lower()
        if part not in ("train", "test") or pure.name != name:
            raise layout_error(f"{labels} line {line}: {name!r} names no part (train_, test_)", layout)
        entries.append(
            ClipEntry(
                clip_id=pure.stem,
                path=f"{before}{pure.stem}{suffix}{pure.suffix}",
                label=label_of(code, codes, labels, line),
                key_frame=0,
                split=part,
            )
        )
    return sorted(entries, key=lambda entry: entry.clip_id)


def find_label_file(root: Path, half: str, layout: tuple[str, ...]) -> Path:
    """The label file of the basic or compound half.

    Raises:
        DatasetError: If there is none.
    """

    def is_half(folder: Path) -> bool:
        return find(folder, "EmoLabel") is not None and folder.name.lower() == half

    base = unwrap(root, is_half)
    if base is None and find(root, "EmoLabel") is not None:
        base = root
    if base is None:
        raise layout_error(f"{root} has no folder {half}/EmoLabel/", layout)
    folder = find(base, "EmoLabel")
    assert folder is not None
    file = find(folder, *_LABEL_FILES)
    if file is None:
        raise layout_error(f"{folder} has no file {_LABEL_FILES[0]}", layout)
    if not file.is_file():
        raise DatasetError(f"{file} is a folder, expected a file", "unpack the archive again")
    return file
