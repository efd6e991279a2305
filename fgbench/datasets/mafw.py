"""Adapter of MAFW: clips of films, shows and news, with eleven single expressions.

Layout::

    data/frames/<id>/*.jpg                                   frames of clip <id>, e.g. 00001
    split/single/no_caption/set_k/{train,test}.txt           lines "00001.mp4 anger"; k is 1 to 5

The folder of the lists is also named ``Train & Test Set``. Labels: anger, disgust, fear, happiness, neutral,
sadness, surprise, contempt, anxiety, helplessness, disappointment, by name: the order of class numbers
differs between users of the data set, so lists with numbers are refused. Frames are whole pictures; faces are
found and aligned by fgbench. The five official folds have no validation part, so the protocol takes another
fold for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fgbench.datasets._card import WHOLE, Card, Variant
from fgbench.datasets._fold_lists import read_folds
from fgbench.datasets._folders import find, layout_error, prefix, stem, unwrap
from fgbench.datasets._tables import named_label, read_lines
from fgbench.records import ClipEntry
from fgbench.taxonomy import ontology

N_FOLDS = 5
"""Official folds."""

_EXAMPLE = "00001.mp4 anger"
_LAYOUT = (
    f"split/single/no_caption/set_{{1..5}}/train.txt and test.txt with lines such as {_EXAMPLE!r}, and "
    "data/frames/<id>/*.jpg",
)

CARD = Card(
    title="MAFW (Multi-modal Affective database in the Wild)",
    kind="video",
    licence="non-commercial research only, after a signed agreement",
    citation="Liu et al., MAFW: A Large-scale, Multi-modal, Compound Affective Database for Dynamic Facial "
    "Expression Recognition in the Wild, ACM Multimedia 2022",
    request="Yuanyuan Liu, China University of Geosciences (Wuhan), page of the MAFW database",
    protocol="5 official folds of single expressions, each tested once; a tenth of the others is chosen on",
    layouts=_LAYOUT,
    variants=(Variant(scheme="mafw11", totals={WHOLE: 9172}),),
    totals_source="Liu et al. 2022: clips with a single expression",
    unconfirmed=(
        "that data/frames holds whole pictures, not faces",
        "that the lists of test clips of the five folds have no clip in common",
    ),
)


def list_clips(root: Path) -> list[ClipEntry]:
    """Clips with a single expression, ordered by id.

    Args:
        root: Folder with the layout above, possibly some folders up.

    Raises:
        DatasetError: If the folder is not laid out so, or a list has a line of another kind.
    """
    lists = unwrap(root, _is_single, depth=4)
    if lists is None:
        raise layout_error(f"{root} has no folder split/single/no_caption/", _LAYOUT)
    frames = unwrap(
        root, lambda folder: (folder.parent.name.lower(), folder.name.lower()) == ("data", "frames")
    )
    if frames is None:
        raise layout_error(f"{root} has no folder data/frames/", _LAYOUT)
    labels = {label: label for label in ontology("mafw11").labels}
    trains, tests = (
        [list(_read(_list(lists, part, fold), labels)) for fold in range(1, N_FOLDS + 1)]
        for part in ("train", "test")
    )
    before = prefix(frames, root)
    return [
        ClipEntry(
            clip_id=name,
            path=before + name,
            label=listed.label,
            fold=listed.fold,
            problem=listed.problem,
        )
        for name, listed in read_folds(trains, tests).items()
    ]


def _is_single(folder: Path) -> bool:
    """Return whether a folder holds the lists of single expressions; those of compound ones are beside it."""
    return (folder.parent.name.lower(), folder.name.lower()) == ("single", "no_caption")


def _list(lists: Path, part: str, fold: int) -> Path:
    """A list of clips of one fold."""
    folder = find(lists, f"set_{fold}")
    if folder is None:
        raise layout_error(f"{lists} has no folder set_{fold}/", _LAYOUT)
    path = find(folder, f"{part}.txt")
    if path is None:
        raise layout_error(f"{folder} has no file {part}.txt", _LAYOUT)
    return path


def _read(path: Path, labels: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Id and label of the clips of a list."""
    for line, (name, word) in read_lines(path, 2, _EXAMPLE):
        yield stem(name), named_label(word, labels, path, line)
