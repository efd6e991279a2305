"""``manifests/README.md``, the data card of a work folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fgbench.catalogue.listing import Listing
from fgbench.config import PrepareConfig
from fgbench.preparation.report import alignment_line, face_lines
from fgbench.preparation.stages._annotation_card import annotation_lines
from fgbench.preparation.stages._card_header import card_header, manifest_configs
from fgbench.preparation.stages._plain_text import plain
from fgbench.preparation.stages._vote_agreement import Annotation
from fgbench.preparation.stages._votes_table import VOTES
from fgbench.records import SPLITS
from fgbench.runs.pseudo_labels import MARK
from fgbench.workfolders.manifest_index import unlike_published_sentence

if TYPE_CHECKING:
    import pyarrow as pa

_OF_VOTES = (
    "- `votes.parquet`: one row per vote, those on clips that were not settled too: answer (`class`,",
    "  `unsure`, `not_usable`, or `unknown` for a label that is no class), class, key frame, times, the",
    "  known answer of a gold item, and the label that the clip got. In `clips` and `images`, `soft_label`",
    "  lists the classes with the shares of the votes for them in the round that settled the clip, without",
    "  the other answers; not stated in the paper",
)


def data_card(
    config: PrepareConfig,
    counts: Mapping[str, Mapping[str, int]],
    rejects: pa.Table,
    listing: Listing,
    *,
    classes: Sequence[str],
    annotation: Annotation,
    alignment: Mapping[str, int],
    unlike_published: Mapping[str, Sequence[int]],
    faces: Mapping[str, int],
    rows: Mapping[str, int],
) -> str:
    """The data card of a work folder, in Markdown with a YAML header.

    Args:
        config: The recipe.
        counts: Part to number of clips, of original images and of images with copies.
        rejects: Table of the clips that could not be used.
        listing: Clips and notes of the adapter.
        classes: Labels of the manifests.
        annotation: Votes and confidences.
        alignment: Number of usable frames that are aligned, and that were taken as they are.
        unlike_published: Part to its number of entries and the published one, where they differ.
        faces: Counts of faces (:func:`fgbench.preparation.stages._clip_faces.face_counts`).
        rows: Number of rows by name of each file of a table.
    """
    reasons = Counter(zip(rejects["stage"].to_pylist(), rejects["reason"].to_pylist(), strict=True))
    header = card_header(config.dataset.name, manifest_configs(rows), synthetic=config.dataset.synthetic)
    lines = [*header, f"# {plain(config.dataset.name)}", ""]
    if config.dataset.synthetic:
        lines += [
            "**Synthetic data: drawn faces. Nothing measured on them says anything of real faces.**",
            "",
        ]
    if listing.units.pseudo:
        lines += [
            f"**The labels of action units are {MARK}: {plain(listing.units.pseudo)} made them, no person "
            "did. What is trained on them learns its errors, and what is measured on them is agreement with "
            "it.**",
            "",
        ]
    lines += [
        f"Prepared by fgbench with the recipe `{plain(config.name)}`. {plain(config.description)}".rstrip(),
        "",
        "| part | clips | images | images with augmented copies |",
        "|---|---|---|---|",
        *(
            f"| {part} | {counts[part]['clips']} | {counts[part]['images']} | {counts[part]['augmented']} |"
            for part in SPLITS
        ),
        "",
        f"Label set `{plain(config.dataset.scheme)}`: {plain(', '.join(classes)) or 'no classes'}.",
        "",
        *_left_out(listing.left_out),
        *([unlike_published_sentence(unlike_published), ""] if unlike_published else []),
        *_alignment(config, alignment),
        *(
            f"{line[0].upper()}{line[1:]}.\n"
            for line in face_lines(faces, sum(counts[part]["clips"] for part in SPLITS))
        ),
        *annotation_lines(annotation, config.consensus, listing.annotators),
        "## Files",
        "",
        'Each table is a config of `datasets.load_dataset`, e.g. `load_dataset(THIS_FOLDER, "faces")`.',
        "",
        "- `clips.parquet`: one row per usable clip",
        "- `faces/`: one row per sampled frame: the aligned face, or the status that tells why there is none",
        "- `images/<part>-*.parquet`: the image set; `parent_id` is empty for originals. Accuracies are to",
        "  be computed on originals.",
        *(_OF_VOTES if rows.get(VOTES) else ()),
        "- `rejects.parquet`: clips that could not be used, with stage and reason; those of the test list,",
        "  or of a fold, that could not be read count as samples without prediction",
        "- `rejects.csv`: the same for a spreadsheet",
        "- `reannotate.csv`: clips on which annotators have to vote again",
        "- `index.json`: digest of every file, the recipe and the versions",
        "",
        *reject_lines(reasons),
    ]
    return "\n".join(lines) + "\n"


def reject_lines(reasons: Mapping[tuple[str, str], int]) -> list[str]:
    """Return the section on clips that could not be used: their number by stage and reason."""
    if not reasons:
        return ["## Clips that could not be used", "", "None."]
    counts = [f"| {stage} | {reason} | {count} |" for (stage, reason), count in sorted(reasons.items())]
    return ["## Clips that could not be used", "", "| stage | reason | clips |", "|---|---|---|", *counts]


def _alignment(config: PrepareConfig, alignment: Mapping[str, int]) -> list[str]:
    if config.faces.align == "never":
        return ["Pictures were taken as they are, faces are not aligned.", ""]
    line = alignment_line(config.faces.align, alignment)
    return [] if line is None else [f"{line[0].upper()}{line[1:]}: no face was found in them.", ""]


def _left_out(labels: Mapping[str, int]) -> list[str]:
    if not labels:
        return []
    named = ", ".join(f"{count} of {plain(label)}" for label, count in labels.items())
    return [f"Left out, since the label set lacks their class: {named}.", ""]
