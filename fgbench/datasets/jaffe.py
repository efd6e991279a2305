"""Adapter of JAFFE: ten Japanese women, three or four pictures of each expression.

Layout: ``XX.YYn.m.tiff`` (or another kind of picture) in one folder, or in several folders of one level (in
some copies those of the expressions), where XX is the subject and YY one of AN DI FE HA NE SA SU. Labels: the
six basic expressions and neutral, by the names of the files.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from fgbench.datasets._card import WHOLE, Card, Variant
from fgbench.datasets._folders import layout_error, pictures, prefix, stem, subfolders, unwrap
from fgbench.records import ClipEntry

_CODES = {
    "AN": "anger",
    "DI": "disgust",
    "FE": "fear",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
_NAME = re.compile(r"(?P<subject>[A-Z]{2})\.(?P<code>[A-Z]{2})\d+\.\d+\.[A-Z]+", re.IGNORECASE)
_LAYOUT = ("XX.YYn.m.tiff, with XX the subject and YY one of AN DI FE HA NE SA SU",)
_COUNTS = dict(zip(_CODES.values(), (30, 29, 32, 31, 30, 31, 30), strict=True))

CARD = Card(
    title="JAFFE (Japanese Female Facial Expression)",
    kind="image",
    licence="non-commercial research only",
    citation="Lyons et al., Coding Facial Expressions with Gabor Wavelets, FG 1998",
    request="Michael Lyons, record of the JAFFE dataset at Zenodo",
    protocol="leave one subject out: 10 folds by subject",
    layouts=_LAYOUT,
    variants=(Variant(scheme="ekman7", totals={WHOLE: 213}, classes={WHOLE: _COUNTS}, subjects=10),),
    totals_source="file names of the release",
)


def list_clips(root: Path) -> list[ClipEntry]:
    """Pictures as clips of one frame, ordered by id.

    Args:
        root: Folder of the pictures, possibly some folders up.

    Raises:
        DatasetError: If there are no such pictures, or the name of one has another code.
    """
    base = unwrap(root, lambda inner: _has_some(inner) or len(_folders(inner)) > 1)
    if base is None:
        raise layout_error(f"{root} has no pictures named like KA.AN1.39.tiff", _LAYOUT)
    entries = []
    for folder in [base] if _has_some(base) else _folders(base):
        entries += _entries(folder, root)
    return sorted(entries, key=lambda entry: entry.clip_id)


def _has_some(folder: Path) -> bool:
    return any(_NAME.fullmatch(name) for name in pictures(folder))


def _folders(folder: Path) -> list[Path]:
    """Folders inside a folder that have such pictures; locked ones are skipped."""
    inner = list(subfolders(folder).values())
    return [path for path in inner if os.access(path, os.R_OK | os.X_OK) and _has_some(path)]


def _entries(folder: Path, root: Path) -> list[ClipEntry]:
    entries = []
    before = prefix(folder, root)
    for name in pictures(folder):
        match = _NAME.fullmatch(name)
        if match is None:
            continue
        label = _CODES.get(match["code"].upper())
        if label is None:
            raise layout_error(f"{folder / name}: {match['code']!r} is no code of an expression", _LAYOUT)
        entries.append(
            ClipEntry(
                clip_id=stem(name).upper(),
                path=before + name,
                label=label,
                key_frame=0,
                subject_id=match["subject"].upper(),
            )
        )
    return entries
