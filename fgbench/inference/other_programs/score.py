"""Scores a file of another program under the protocol of a work folder, as a run of it.

Reads the file, and manifests and labels of the work folder; writes ``runs/<name>/0/<seed>/`` as the methods
do (:mod:`fgbench.runs.results`, :mod:`fgbench.runs.unit_results`). Of a file with classes and action units,
and a data set with labels of both, two runs are made: the second is called ``<name>-units``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.callbacks import Note, ignore
from fgbench.errors import ConfigError, DatasetError, package_missing
from fgbench.inference.other_programs.class_scores import ClassScores, score_classes, stated_classes
from fgbench.inference.other_programs.matching import match_rows
from fgbench.inference.other_programs.own_labels import refuse_own_labels
from fgbench.inference.other_programs.prediction_table import PredictionTable
from fgbench.inference.other_programs.reading import AUTO, read_prediction_table
from fgbench.inference.other_programs.run_folders import (
    check_run_folder,
    clear_other_kind,
    default_name,
    digest_of,
)
from fgbench.inference.other_programs.samples import AUTO as AUTO_KIND
from fgbench.inference.other_programs.samples import Clips, read_clips, tested_samples
from fgbench.methods.steps.contexts import open_work
from fgbench.naming import shown
from fgbench.runs import results, unit_results
from fgbench.runs.class_names import match_classes
from fgbench.runs.context import RunContext
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.lock import hold_run
from fgbench.runs.other_programs import OUTSIDE, outside_name
from fgbench.runs.results import SINGLE_FOLD, write_run
from fgbench.runs.unit_results import write_au_run

if TYPE_CHECKING:
    from fgbench.inference.other_programs.unit_scores import UnitScores

UNITS = "-units"
"""End of the name of a run of action units where another run of the same file is of classes."""

_DEVICE = "another program"
_KINDS = {"images": "image", "clips": "video"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The runs of a file.

    Attributes:
        classes: Folder of the run of classes; ``None`` if there is none.
        units: Folder of the run of action units; ``None`` if there is none.
    """

    classes: Path | None
    units: Path | None


_Write = Callable[[], Path]


def score_file(
    path: Path,
    workdir: Path,
    *,
    format_: str = AUTO,
    name: str | None = None,
    mapping: Mapping[str, str] | None = None,
    samples: str = AUTO_KIND,
    seed: int = 0,
    force: bool = False,
    note: Note = ignore,
) -> Scored:
    """Score predictions of another program; nothing is written unless all of it can be.

    Args:
        path: Its file, or a folder with a file per clip.
        workdir: Work folder.
        format_: Name of the format, or ``"auto"``.
        name: Name of the run; ``None``: the file's.
        mapping: Class of the program to class of the data set, see
            :func:`fgbench.runs.class_names.match_classes`.
        samples: ``"images"``, ``"clips"`` or ``"auto"``.
        seed: Of the run: several files of one program may be its seeds.
        force: Whether a run of that name with the scores of another file is replaced.
        note: Receives sentences on how the file is read.

    Raises:
        ConfigError: If an option is not valid, classes cannot be matched, or the name is another run's.
        DatasetError: If the file cannot be read, holds no probabilities, matches no test sample, or has the
            labels of the data set.
        ManifestError: If the work folder has no manifests, or they are damaged.
        ResourceError: If the run cannot be written.
    """
    table = read_prediction_table(path, format_)
    origin = {"file": shown(path.name or str(path)), "sha256": digest_of(path), "format": table.format}
    how = "its columns tell" if format_ == AUTO else "as it was told"
    note(f"{path} is read as {table.format} ({how}), {len(table.rows):,} rows")
    context = open_work(workdir, seed=seed, note=note)
    refuse_own_labels(path, workdir)
    clips = read_clips(context)
    chosen = default_name(path) if name is None else name
    asked = _Asked(name=chosen, mapping=dict(mapping or {}), samples=samples, force=force, origin=origin)
    has_classes = table.has_classes and bool(context.labels.labels)
    if asked.mapping and not has_classes:
        raise ConfigError(
            "map tells classes, and there are none to tell apart",
            f"{_lacks(path, table, context)}: leave map out",
        )
    writes: list[_Write] = []
    classes = units = None
    if has_classes:
        classes = _classes(table, context, clips, asked)
        writes.append(classes)
    scored = _unit_scores(table, context, clips, must=not has_classes, note=note)
    if scored is not None:
        units = _units(scored, table, context, asked, ending=UNITS if has_classes else "")
        writes.append(units)
    if not writes:
        raise DatasetError(
            f"{path} has nothing that can be scored in {workdir}: {_lacks(path, table, context)}",
            "give a file with a column label, a column per class, or (of data with labels of action units) a "
            "column per action unit",
        )
    return Scored(classes=None if classes is None else classes(), units=None if units is None else units())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Settings of the user, and the file."""

    name: str
    mapping: Mapping[str, str]
    samples: str
    force: bool
    origin: Mapping[str, str]


def _lacks(path: Path, table: PredictionTable, context: RunContext) -> str:
    """Return a sentence on what file and data set have to score."""
    has = [*(["classes"] if table.has_classes else []), *(["action units"] if table.units else [])]
    wanted = "classes" if context.labels.labels else "no classes"
    return (
        f"the file has {' and '.join(has) or 'neither classes nor action units'}, data set "
        f"{context.details['dataset']} {wanted}"
    )


def _classes(table: PredictionTable, context: RunContext, clips: Clips, asked: _Asked) -> _Write:
    """Score classes; return a function that writes them.

    Raises:
        DatasetError: If no row says anything of classes, so that to ask for their names would mislead.
    """
    if not any(row.scores is not None or row.label is not None for row in table.rows):
        raise DatasetError(
            f"no row predicts a class: all cells of classes in {asked.origin['file']} are empty",
            "check the columns of the file: label, or one column per class",
        )
    names = match_classes(stated_classes(table), context.labels, asked.mapping)
    samples = tested_samples(context, clips, asked.samples)
    matched = match_rows(
        table.rows,
        clips,
        samples.keys,
        by_clip=samples.kind == "clips",
        example=lambda: samples.test[0].sample_id,
    )
    scored: ClassScores = score_classes(table, names, samples, matched)
    settings = {"samples": samples.kind, "map": dict(asked.mapping)}
    folder = check_run_folder(
        context.workdir, asked.name, seed=context.seed, origin={**asked.origin, **settings}, force=asked.force
    )
    origin = {
        **asked.origin,
        **settings,
        "level": names.level.name,
        **matched.to_json(),
        "without_prediction": len(scored.without),
        **({"dropped": scored.dropped} if scored.dropped else {}),
    }
    details = {
        **_details(context, asked.name, origin),
        "kind": _KINDS[samples.kind],
        "notes": [*table.notes, *scored.notes, *matched.notes()],
    }

    def write() -> Path:
        with hold_run(folder):
            clear_other_kind(folder, results.RESULT)
            return write_run(
                context.workdir,
                scored.predictions,
                experiment=asked.name,
                fold=SINGLE_FOLD,
                seed=context.seed,
                config=_config(asked, settings),
                manifest_digest=context.manifest_digest,
                device=_DEVICE,
                details=details,
            )

    return write


def _unit_scores(
    table: PredictionTable, context: RunContext, clips: Clips, *, must: bool, note: Note
) -> UnitScores | None:
    """Score action units, if both sides have some.

    Raises:
        DependencyError: If nothing else can be scored, and torch is not installed.
    """
    if not table.units:
        return None
    try:
        from fgbench.inference.other_programs.unit_scores import labelled, score_units
    except ImportError as error:
        if must:
            raise package_missing("labels of action units need", error.name) from error
        note(f"action units are not scored: {error.name} is not installed")
        return None
    try:
        data = labelled(context)
        if data is not None:
            return score_units(table, data, clips)
    except DatasetError as error:  # somebody's own data without a table of labels, too
        if must:
            raise
        note(f"action units are not scored: {error.message}")
        return None
    if must and not table.has_classes:
        raise DatasetError(
            f"the predictions are of action units, and data set {context.details['dataset']} has no "
            "labels of them",
            "score them on one that has, e.g. with action_units.csv beside annotations.csv, BP4D or DISFA",
        )
    return None


def _units(
    scored: UnitScores, table: PredictionTable, context: RunContext, asked: _Asked, *, ending: str
) -> _Write:
    """Score action units; return a function that writes them."""
    name = f"{asked.name}{ending}"
    settings = {"samples": "frames"}
    folder = check_run_folder(
        context.workdir, name, seed=context.seed, origin={**asked.origin, **settings}, force=asked.force
    )
    origin = {
        **asked.origin,
        **settings,
        **scored.matched.to_json(),
        "without_prediction": len(scored.without),
    }
    details = {
        **_details(context, name, origin),
        **scored.details,
        "recipe": name,
        "manifest_digest": context.manifest_digest,
        "fold": SINGLE_FOLD,
        "seed": context.seed,
        "notes": [*table.notes, *scored.notes, *scored.matched.notes()],
    }

    def write() -> Path:
        with hold_run(folder):
            clear_other_kind(folder, unit_results.RESULT)
            write_au_run(
                folder,
                scored.predictions,
                config=_config(asked, settings, name),
                device=_DEVICE,
                details=details,
            )
        return folder

    return write


def _details(context: RunContext, name: str, origin: Mapping[str, Any]) -> dict[str, Any]:
    """Return the details of results of both kinds: data set, protocol and file."""
    details = {key: value for key, value in context.details.items() if key != FACE_ORIGIN}
    outside = {OUTSIDE: dict(origin)}
    if context.division.n_folds:
        label = f"{context.division.label}, all folds tested together"
        details["protocol"] = {**context.division.to_json(), "label": label, "folds": [SINGLE_FOLD]}
    return {**details, "method": outside_name(name, outside), **outside}


def _config(asked: _Asked, settings: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    return {"name": name or asked.name, OUTSIDE: {**asked.origin, **settings}}


def note_sentences(details: Mapping[str, Any]) -> Sequence[str]:
    """Return sentences on how a file was scored, for the terminal.

    Args:
        details: Details of a result.
    """
    return [f"{note[0].upper()}{note[1:]}." for note in details.get("notes", ())]
