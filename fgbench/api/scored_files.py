"""Predictions of another program, scored under the protocol of a work folder: they become a run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.api.arguments import name_of, name_or_none, names_of, pairs, path_of, shown, switch, whole
from fgbench.api.progress import log
from fgbench.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredFile:
    """Runs that the predictions of a program became.

    Attributes:
        classes: Folder of the run of classes; ``None`` if none were predicted.
        units: Folder of the run of action units; likewise.
    """

    classes: Path | None
    units: Path | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        from fgbench.runs.results import read_result
        from fgbench.runs.unit_results import read_au_result

        return {
            "classes": None
            if self.classes is None
            else {"run": str(self.classes), **read_result(self.classes)},
            "units": None if self.units is None else {"run": str(self.units), **read_au_result(self.units)},
        }

    def lines(self, *, full: bool = False) -> list[str]:
        """Return lines of text: scores, in full of every class and unit."""
        from fgbench.api.finished import run_lines

        return [
            *([] if self.classes is None else run_lines(self.classes, full=full)),
            *([] if self.units is None else _units_lines(self.units, full=full)),
        ]


def score_file(
    file: str | os.PathLike[str],
    workdir: str | os.PathLike[str],
    *,
    format_: str = "auto",
    name: str | None = None,
    mapping: Mapping[str, str] | Sequence[str] | None = None,
    samples: str = "auto",
    seed: int = 0,
    force: bool = False,
) -> ScoredFile:
    """Score what another program predicted for the test part; it becomes a run, marked as from outside.

    Samples without a prediction count as wrong. How the file was read is logged.

    Args:
        file: A CSV or Parquet table, or JSON of DeepFace; or a folder with a file per clip.
        workdir: Work folder.
        format_: Name of a format; ``"auto"``: by the columns.
        name: Name of the run; ``None``: that of the file.
        mapping: Classes of the program as those of the data set, ``{"happy": "happiness"}`` or
            ``"happy=happiness"``; an empty class leaves one out. ``None``: by the label sets.
        samples: ``"images"`` or ``"clips"``; ``"auto"``: images of data of pictures alone, else clips.
        seed: Of the run.
        force: Whether the scores of another file that have the name are replaced.

    Raises:
        ConfigError: If a mapping or a name is not valid, or classes cannot be matched.
        DatasetError: If the file cannot be read, holds no predictions, or matches no test sample.
        ManifestError: If the manifests are damaged.
        ResourceError: If the run cannot be written.
    """
    from fgbench.inference.other_programs.score import score_file as scored

    runs = scored(
        path_of("file", file, example="work.score('predictions.csv')"),
        path_of("workdir", workdir, example="work.path"),
        format_=name_of("format", format_, example="format='auto'"),
        name=name_or_none("name", name, example="name='openface'"),
        mapping=mapping_of(mapping),
        samples=name_of("samples", samples, example="samples='clips'"),
        seed=whole("seed", seed, least=0),
        force=switch("force", force),
        note=log,
    )
    return ScoredFile(classes=runs.classes, units=runs.units)


def mapping_of(given: Any) -> dict[str, str]:
    """Return classes of a program as those of a data set; ``None`` has none.

    Args:
        given: ``{"happy": "happiness", "contempt": ""}``, or texts ``"happy=happiness"``, ``"contempt="``.

    Raises:
        ArgumentError: If a text is no pair, or a class is named twice.
        ConfigError: If they are no names for names.
    """
    example = "map={'joy': 'happiness', 'contempt': ''}"
    if isinstance(given, str | list | tuple):
        from fgbench.runs.class_names import mapping_of_texts

        return mapping_of_texts(names_of("map", given, example=example) or [])
    mapping = pairs("map", given, example=example)
    for name, label in mapping.items():
        if not isinstance(label, str):
            raise ConfigError(
                f"map tells {shown(label)} for {name!r}, expected a class, or '' to leave it out",
                f"e.g. {example}",
            )
    return mapping


def _units_lines(folder: Path, *, full: bool) -> list[str]:
    from fgbench.api.finished import FULL
    from fgbench.inference.other_programs.score import note_sentences
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.summary import unit_lines
    from fgbench.reports.run.unit_scores import au_table
    from fgbench.runs.other_programs import outside_notes
    from fgbench.runs.unit_results import read_au_result

    table, details = au_table([folder]), read_au_result(folder)["details"]
    if full:
        lines = [markdown(table)]
    else:
        notes = outside_notes([(folder.parts[-3], details)])
        lines = [*unit_lines(table), *notes, f"every unit: {FULL}"]
    return [*lines, *note_sentences(details), f"run: {folder}"]
