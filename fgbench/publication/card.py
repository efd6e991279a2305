"""``README.md`` of a publication: a data card with the YAML header that the Hub and ``datasets`` read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fgbench.catalogue.pseudonyms import how_named
from fgbench.preparation.stages._card import reject_lines
from fgbench.preparation.stages._card_header import WHOLE, card_header
from fgbench.preparation.stages._plain_text import plain
from fgbench.publication import layout
from fgbench.records import SPLITS
from fgbench.runs.pseudo_labels import MARK

_TABLES = {
    "clips": "usable clips: label, upper class, key frame, part, and what the file is",
    "faces": "sampled frames: box, score, quality, landmarks (x, y pairs in px of the upright frame), 2x3 "
    "transform to the aligned face, pose, sharpness, status, and the SHA-256 of the aligned face's pixels",
    "images": "the image set, with the exact parameters of augmented copies, and the SHA-256 of their pixels",
    "entries": "clips as the data set lists them, usable or not",
    "votes": "annotators' votes as the data set lists them",
    "counted_votes": "votes on readable clips: answer, class, key frame, times, and the label of the clip",
    "action_units": "labels of action units: 1 present, -1 absent; of a frame, or without one of all others",
    "files": "files of the data set: path, SHA-256, bytes",
    "rejects": "clips that could not be used, with stage and reason",
}


def data_card(
    index: layout.Index,
    rows: Mapping[str, int],
    reasons: Mapping[tuple[str, str], int],
    readings: Sequence[str] = (),
) -> str:
    """Return the data card, in Markdown with a YAML header.

    Args:
        index: Index of the publication; its files are not read.
        rows: Number of rows by name of table.
        reasons: Number of clips that could not be used, by stage and reason.
        readings: Sentences on how often the test part was read.
    """
    configs = {name: _files_of(name, rows) for name in _TABLES}
    header = card_header(index.dataset, configs, synthetic=index.synthetic)
    lines = [*header, f"# {plain(index.dataset)}, without faces", ""]
    if index.synthetic:
        lines += [
            "**Synthetic data: drawn faces. Nothing measured on them says anything of real faces.**",
            "",
        ]
    if index.units is not None and index.units.pseudo:
        lines += [
            f"**The labels of action units are {MARK}: {plain(index.units.pseudo)} made them, no person "
            "did.**",
            "",
        ]
    lines += [
        "All that was made of the clips of this data set, and no picture of them: the clips may not be "
        "passed on. Who has them makes the same data set again, and has it proved:",
        "",
        "```",
        "fgbench rebuild THIS_FOLDER --data-root CLIPS",
        "```",
        "",
        f"Label set `{plain(index.scheme or 'none')}`: {plain(', '.join(index.classes)) or 'no classes'}.",
        "",
        "| part | clips | images | images with augmented copies |",
        "|---|---|---|---|",
        *(_counts(part, index.counts.get(part, {})) for part in SPLITS),
        "",
        *([how_named(index.annotators), ""] if _files_of("votes", rows) else []),
        "## Tables",
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        'clips = load_dataset("THIS_FOLDER", "clips")',
        "```",
        "",
        *(f"- `{name}`: {about}" for name, about in _TABLES.items() if _files_of(name, rows)),
        f"- `{layout.CROISSANT}`: tables and how the data were made, for programs (Croissant 1.0, RAI 1.0)",
        f"- `{layout.INDEX}`: digest of every file, of the tables with faces that this was made of, the "
        "recipe and the versions",
        "",
        *reject_lines(reasons),
    ]
    if readings:
        lines += ["", "## Readings of the test part", "", *(f"- {plain(line)}" for line in readings)]
    lines += ["", "## Made with", "", *_versions(index.provenance)]
    return "\n".join(lines) + "\n"


def _counts(part: str, counts: Mapping[str, int]) -> str:
    numbers = (counts.get(name, 0) for name in ("clips", "images", "augmented"))
    return f"| {' | '.join([part, *map(str, numbers)])} |"


def _files_of(table: str, rows: Mapping[str, int]) -> dict[str, str]:
    """Files of a table by split, without those that have no rows: ``datasets`` could not load them."""
    if table not in layout.PARTED:
        name = f"{table}.parquet"
        return {WHOLE: name} if rows.get(name) else {}
    names = {part: f"{table}/{part}.parquet" for part in SPLITS}
    return {part: name for part, name in names.items() if rows.get(name)}


def _versions(provenance: Mapping[str, Any]) -> list[str]:
    packages = provenance.get("packages")
    versions = {name: provenance.get(name) for name in ("fgbench", "python")}
    versions |= packages if isinstance(packages, Mapping) else {}
    return [", ".join(f"{name} {version}" for name, version in versions.items() if version)]
