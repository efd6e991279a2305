"""Adapter of the UNBC-McMaster Shoulder Pain Expression Archive: 25 subjects, with the FACS codes of every
frame.

Layout::

    Images/042-ll042/ll042t1aaaff/ll042t1aaaff001.png                       frames of a sequence
    Frame_Labels/FACS/042-ll042/ll042t1aaaff/ll042t1aaaff001_facs.txt       lines "AU intensity onset offset"

Labels: ten action units (4 6 7 9 10 12 20 25 26 43), present from intensity 2 of 5 on, like DISFA's; 43,
closed eyes, is coded without intensity (1) and present if listed. A unit that is not in the file of a
frame is absent: an empty file is a frame without any. There are no classes of expressions; the scores
of pain in ``Frame_Labels/PSPI`` and ``Sequence_Labels`` are not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from fgbench.datasets._card import WHOLE, Card, Variant
from fgbench.datasets._folders import (
    file_names,
    find_below,
    layout_error,
    pictures,
    relative,
    stem,
    subfolders,
    unwrap,
)
from fgbench.datasets._tables import decimal_number, read_lines
from fgbench.datasets._unit_names import PRESENT_FROM, Patterns
from fgbench.errors import DatasetError
from fgbench.records import AuRow, ClipEntry

UNITS = (4, 6, 7, 9, 10, 12, 20, 25, 26, 43)
"""Action units that are scored; others in the archive (27, 50) are skipped."""

CLOSED_EYES = 43
_HIGHEST = 5
_ENDING = "_facs"
_LINE = "   4.0000000e+00   3.0000000e+00   0.0000000e+00   0.0000000e+00"
_LAYOUT = (
    "Images/042-ll042/<sequence>/<frame>.png and Frame_Labels/FACS/042-ll042/<sequence>/<frame>_facs.txt",
)

CARD = Card(
    title="UNBC-McMaster Shoulder Pain Expression Archive",
    kind="au",
    licence="research only, after a signed agreement",
    citation="Lucey et al., Painful data: The UNBC-McMaster shoulder pain expression archive database, "
    "IEEE FG 2011",
    request="Affect Analysis Group of the University of Pittsburgh (Jeffrey Cohn), page of the archive",
    protocol="folds by subject, F1 at intensity 2 or more: fgbench train au --folds 5; without folds, "
    "parts by subject",
    layouts=_LAYOUT,
    variants=(Variant(scheme="none", about="10 action units", totals={WHOLE: 200}, subjects=25),),
    totals_source="Lucey et al. 2011: 200 sequences of 25 subjects",
    unconfirmed=("that publications count a unit as present from intensity 2 on: some take 1",),
)


def list_clips(root: Path) -> list[ClipEntry]:
    """Sequences, without labels, ordered by id (``ll042t1aaaff``).

    Args:
        root: Folder with the layout above, possibly some folders up.

    Raises:
        DatasetError: If the folder is not laid out so.
    """
    images = _images(root)
    entries = []
    for subject, sequence, _ in _sequences(root):
        folder = find_below(images, subject, sequence)
        problem = None
        if folder is None:
            problem = ("missing_file", f"no folder {relative(images, root)}/{subject}/{sequence}")
        entries.append(
            ClipEntry(
                clip_id=sequence,
                path=relative(folder or images / subject / sequence, root),
                subject_id=subject,
                source_id=sequence,
                problem=problem,
            )
        )
    return sorted(entries, key=lambda entry: entry.clip_id)


def action_units(root: Path) -> Iterator[AuRow]:
    """Labels of the frames that have a file of codes, sequence by sequence.

    Args:
        root: As for :func:`list_clips`.

    Raises:
        DatasetError: If the folder is not laid out so, or a file has a line of another kind.
    """
    images, patterns = _images(root), Patterns(UNITS)
    for subject, sequence, labels in _sequences(root):
        folder = find_below(images, subject, sequence)
        if folder is None:
            continue
        files = {stem(name).lower(): name for name in file_names(labels)}
        for index, name in enumerate(pictures(folder)):
            file = files.get(f"{stem(name).lower()}{_ENDING}")
            if file is not None:
                intensities = _codes(labels / file)
                yield AuRow(
                    clip_id=sequence,
                    frame_index=index,
                    labels=patterns.of([_label(unit, intensities.get(unit, 0)) for unit in UNITS]),
                )


def _label(unit: int, intensity: float) -> int:
    return 1 if intensity >= (1 if unit == CLOSED_EYES else PRESENT_FROM) else -1


def _codes(path: Path) -> Mapping[int, float]:
    """Unit to intensity, of the units of a frame.

    Raises:
        DatasetError: If a line is of another kind.
    """
    intensities: dict[int, float] = {}
    for line, words in read_lines(path, 4, _LINE):
        unit, intensity = decimal_number(words[0]), decimal_number(words[1])
        if unit is None or unit != int(unit) or intensity is None or not 0 <= intensity <= _HIGHEST:
            raise DatasetError(
                f"{path} line {line}: unit {words[0]!r} of intensity {words[1]!r}",
                f"expected the number of a unit and an intensity from 0 to {_HIGHEST}",
            )
        intensities[int(unit)] = intensity
    return intensities


def _images(root: Path) -> Path:
    images = unwrap(root, lambda folder: folder.name.lower() == "images" and bool(subfolders(folder)))
    if images is None:
        raise layout_error(f"{root} has no folder Images/ with folders of subjects", _LAYOUT)
    return images


def _sequences(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Subject, sequence and folder of codes of every sequence."""
    codes = unwrap(root, lambda folder: folder.name.lower() == "facs" and bool(subfolders(folder)), depth=4)
    if codes is None:
        raise layout_error(f"{root} has no folder Frame_Labels/FACS/ with folders of subjects", _LAYOUT)
    for subject, inner in subfolders(codes).items():
        for sequence, folder in subfolders(inner).items():
            yield subject, sequence, folder
