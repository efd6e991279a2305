"""The file of another program becomes a run of a work folder, scored under its protocol.

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
from fgbench.errors import ConfigError, DatasetError, DependencyError
from fgbench.inference.other_programs.answers import Answers
from fgbench.inference.other_programs.class_names import match_classes
from fgbench.inference.other_programs.class_scores import ClassScores, score_classes, stated_classes
from fgbench.inference.other_programs.matching import match_rows
from fgbench.inference.other_programs.reading import AUTO, read_answers
from fgbench.inference.other_programs.run_folders import (
    check_run_folder,
    clear_other_kind,
    default_name,
    digest_of,
)
from fgbench.inference.other_programs.samples import AUTO as AUTO_KIND
from fgbench.inference.other_programs.samples import Clips, read_clips, tested_samples
from fgbench.methods.steps.contexts import open_work
from fgbench.runs import results, unit_results
from fgbench.runs.context import RunContext
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.lock import hold_run
from fgbench.runs.other_programs import OUTSIDE
from fgbench.runs.results import SINGLE_FOLD, write_run
from fgbench.runs.unit_results import write_au_run

if TYPE_CHECKING:
    from fgbench.inference.other_programs.unit_scores import UnitScores

UNITS = "-units"
"""What the name of a run of action units ends in where another of the same file tells classes."""

_DEVICE = "another program"
_KINDS = {"images": "image", "clips": "video"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The runs of a file.

    Attributes:
        classes: Folder of the run that tells classes apart; ``None`` if there is none.
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
    told: Mapping[str, str] | None = None,
    samples: str = AUTO_KIND,
    seed: int = 0,
    force: bool = False,
    note: Note = ignore,
) -> Scored:
    """Score what another program predicted; nothing is written unless all of it can be.

    Args:
        path: Its file, or a folder with a file per clip.
        workdir: Work folder.
        format_: Name of the format, or ``"auto"``.
        name: Name of the run; ``None``: the file's.
        told: Classes of the program as those of the data set, see
            :func:`fgbench.inference.other_programs.class_names.match_classes`.
        samples: ``"images"``, ``"clips"`` or ``"auto"``.
        seed: Of the run: several files of one program may be its seeds.
        force: Whether a run of that name with the scores of another file is replaced.
        note: Told how the file was read.

    Raises:
        ConfigError: If an option is not valid, classes cannot be matched, or the name is another run's.
        DatasetError: If the file cannot be read, holds no probabilities, or matches no test sample.
        ManifestError: If the work folder has no manifests, or they are damaged.
        ResourceError: If the run cannot be written.
    """
    answers = read_answers(path, format_)
    origin = {"file": path.name or str(path), "sha256": digest_of(path), "format": answers.format}
    how = "its columns tell" if format_ == AUTO else "as it was told"
    note(f"{path} is read as {answers.format} ({how}), {len(answers.rows):,} rows")
    context = open_work(workdir, seed=seed, note=note)
    clips = read_clips(context)
    chosen = default_name(path) if name is None else name
    asked = _Asked(name=chosen, told=dict(told or {}), samples=samples, force=force, origin=origin)
    has_classes = answers.has_classes and bool(context.labels.labels)
    if asked.told and not has_classes:
        raise ConfigError(
            "--map tells classes, and there are none to tell apart",
            f"{_lacks(path, answers, context)}: leave --map out",
        )
    writes: list[_Write] = []
    classes = units = None
    if has_classes:
        classes = _classes(answers, context, clips, asked)
        writes.append(classes)
    scored = _unit_scores(answers, context, clips, must=not has_classes, note=note)
    if scored is not None:
        units = _units(scored, answers, context, asked, ending=UNITS if has_classes else "")
        writes.append(units)
    if not writes:
        raise DatasetError(
            f"{path} has nothing that can be scored in {workdir}: {_lacks(path, answers, context)}",
            "give a file with a column label, a column per class, or (of data with labels of action units) a "
            "column per action unit",
        )
    return Scored(classes=None if classes is None else classes(), units=None if units is None else units())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a user asks for, and which file it is."""

    name: str
    told: Mapping[str, str]
    samples: str
    force: bool
    origin: Mapping[str, str]


def _lacks(path: Path, answers: Answers, context: RunContext) -> str:
    """What either side has."""
    has = [*(["classes"] if answers.has_classes else []), *(["action units"] if answers.units else [])]
    wanted = "classes" if context.labels.labels else "no classes"
    return (
        f"the file has {' and '.join(has) or 'neither classes nor action units'}, data set "
        f"{context.details['dataset']} {wanted}"
    )


def _classes(answers: Answers, context: RunContext, clips: Clips, asked: _Asked) -> _Write:
    """Score classes; what is given back writes them."""
    names = match_classes(stated_classes(answers), context.labels, asked.told)
    samples = tested_samples(context, clips, asked.samples)
    matched = match_rows(
        answers.rows,
        clips,
        samples.keys,
        by_clip=samples.kind == "clips",
        example=lambda: samples.test[0].sample_id,
    )
    found: ClassScores = score_classes(answers, names, samples, matched)
    settings = {"samples": samples.kind, "map": dict(asked.told)}
    folder = check_run_folder(
        context.workdir, asked.name, seed=context.seed, told={**asked.origin, **settings}, force=asked.force
    )
    told = {
        **asked.origin,
        **settings,
        "level": names.level.name,
        **matched.told(),
        "without_prediction": len(found.without),
        **({"dropped": found.dropped} if found.dropped else {}),
    }
    details = {
        **_details(context, asked.name, told),
        "kind": _KINDS[samples.kind],
        "notes": [*answers.notes, *found.notes, *matched.notes()],
    }

    def write() -> Path:
        with hold_run(folder):
            clear_other_kind(folder, results.RESULT)
            return write_run(
                context.workdir,
                found.predictions,
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
    answers: Answers, context: RunContext, clips: Clips, *, must: bool, note: Note
) -> UnitScores | None:
    """Score action units, if both sides have some.

    Raises:
        DependencyError: If nothing else can be scored, and torch is not installed.
    """
    if not answers.units:
        return None
    try:
        from fgbench.inference.other_programs.unit_scores import labelled, score_units
    except ImportError as error:
        if must:
            raise DependencyError(
                f"labels of action units need a package that is not installed ({error.name})",
                "pip install 'fgbench[train]'",
            ) from error
        note(f"action units are not scored: {error.name} is not installed")
        return None
    try:
        data = labelled(context)
        if data is not None:
            return score_units(answers, data, clips)
    except DatasetError as error:  # somebody's own data without a table of labels, too
        if must:
            raise
        note(f"action units are not scored: {error.message}")
        return None
    if must and not answers.has_classes:
        raise DatasetError(
            f"the predictions are of action units, and data set {context.details['dataset']} has no "
            "labels of them",
            "score them on one that has, e.g. with action_units.csv beside annotations.csv, BP4D or DISFA",
        )
    return None


def _units(found: UnitScores, answers: Answers, context: RunContext, asked: _Asked, *, ending: str) -> _Write:
    """Scores of action units; what is given back writes them."""
    name = f"{asked.name}{ending}"
    settings = {"samples": "frames"}
    folder = check_run_folder(
        context.workdir, name, seed=context.seed, told={**asked.origin, **settings}, force=asked.force
    )
    told = {
        **asked.origin,
        **settings,
        **found.matched.told(),
        "without_prediction": len(found.without),
    }
    details = {
        **_details(context, name, told),
        **found.details,
        "recipe": name,
        "manifest_digest": context.manifest_digest,
        "fold": SINGLE_FOLD,
        "seed": context.seed,
        "notes": [*answers.notes, *found.notes, *found.matched.notes()],
    }

    def write() -> Path:
        with hold_run(folder):
            clear_other_kind(folder, unit_results.RESULT)
            write_au_run(
                folder,
                found.predictions,
                config=_config(asked, settings, name),
                device=_DEVICE,
                details=details,
            )
        return folder

    return write


def _details(context: RunContext, name: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """What results of both kinds tell of data set, protocol and file."""
    details = {key: value for key, value in context.details.items() if key != FACE_ORIGIN}
    if context.division.n_folds:
        label = f"{context.division.label}, all folds tested together"
        details["protocol"] = {**context.division.to_json(), "label": label, "folds": [SINGLE_FOLD]}
    return {**details, "method": f"{name} (outside)", OUTSIDE: dict(told)}


def _config(asked: _Asked, settings: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    return {"name": name or asked.name, OUTSIDE: {**asked.origin, **settings}}


def told_notes(details: Mapping[str, Any]) -> Sequence[str]:
    """Sentences on how a file was scored, for the terminal.

    Args:
        details: Of a result.
    """
    return [f"{note[0].upper()}{note[1:]}." for note in details.get("notes", ())]
