"""``fgbench evaluate`` of detectors of action units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.finished import FULL
from fgbench.cli.console import note, print_json, say
from fgbench.cli.origin_lines import origin_lines
from fgbench.cli.runs import opened

if TYPE_CHECKING:
    from fgbench.runs.unit_results import AuPredictions
    from fgbench.runs.weights import Trained
    from fgbench.training.context import TrainingContext


def evaluate_units(
    trained: Trained,
    workdirs: Sequence[Path],
    device: str | None,
    *,
    jobs: int,
    full: bool,
    json: bool,
) -> None:
    """Predict test frames of the data that a detector was scored on, or of others, and print the scores.

    Args:
        trained: Weights of action units.
        workdirs: Named work folders, at least one.
        device: Name of the device.
        jobs: Processes or threads.
        full: Whether to print the score of every unit.
        json: Whether to print JSON.
    """
    from fgbench.methods.action_units.folders import further_folders

    with ExitStack() as stack:

        def enter(workdir: Path) -> TrainingContext:
            return stack.enter_context(opened(workdir, device, jobs=jobs, quiet=json))

        contexts = [enter(workdir) for workdir in workdirs]
        further = further_folders(trained, contexts)
        contexts += [enter(workdir) for workdir in further or ()]
        where = " and ".join(f"{one.details['dataset']} in {one.workdir}" for one in contexts)
        note(f"{trained.name} on {where}, {contexts[0].device}")
        if further is None:
            _elsewhere(trained, contexts[0], full=full, json=json)
        else:
            _again(trained, contexts, full=full, json=json)


def _again(trained: Trained, contexts: Sequence[TrainingContext], *, full: bool, json: bool) -> None:
    from fgbench.inference.unit_test import evaluate_units as predict_again
    from fgbench.reports.freshness import state_notes
    from fgbench.reports.unit_freshness import labels_now, units_state
    from fgbench.runs.unit_results import read_au_result

    anew = predict_again(trained, contexts)
    folder = trained.path.parent
    result = read_au_result(folder)
    now = labels_now(contexts[0].workdir, anew.predictions.clip_ids)
    state = units_state("now", result, anew.predictions, now)
    n, most = len(anew.predictions.sample_ids), anew.largest_difference
    outcome = f"differ from those of the run by up to {most:.1e}" if most else "are equal to those of the run"
    _print_scores(
        folder,
        anew.predictions,
        result["details"],
        [f"the predictions of {n} frames {outcome}", *state_notes([(trained.name, state)])],
        {"largest_difference": most},
        full=full,
        json=json,
    )


def _elsewhere(trained: Trained, place: TrainingContext, *, full: bool, json: bool) -> None:
    from fgbench.inference.units_elsewhere import evaluate_units_elsewhere
    from fgbench.methods.steps.units import required_unit_data
    from fgbench.runs.unit_results import read_au_predictions, read_au_result

    data = required_unit_data(place, hint="evaluate on one that has them, e.g. BP4D or DISFA")
    folder = evaluate_units_elsewhere(trained, data)
    predictions, details = read_au_predictions(folder), read_au_result(folder)["details"]
    are_labelled = (predictions.labels != 0).any(0)
    bare = [unit for unit, is_there in zip(predictions.units, are_labelled, strict=True) if not is_there]
    lines = [f"not annotated here, so not scored: {', '.join(bare)}"] if bare else []
    _print_scores(
        folder,
        predictions,
        details,
        origin_lines(details) + lines,
        {"largest_difference": None},
        full=full,
        json=json,
    )


def _print_scores(
    folder: Path,
    predictions: AuPredictions,
    details: Mapping[str, Any],
    lines: Sequence[str],
    more: Mapping[str, Any],
    *,
    full: bool,
    json: bool,
) -> None:
    from dataclasses import asdict

    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.run.summary import unit_lines
    from fgbench.reports.run.unit_scores import scored_table
    from fgbench.runs.unit_results import mean_f1, unit_scores

    if json:
        scores = unit_scores(predictions.labels, predictions.probabilities, predictions.units)
        print_json(
            {
                "run": str(folder),
                "details": dict(details),
                "units": [asdict(score) for score in scores],
                "mean_f1": mean_f1(scores),
                "n": len(predictions.sample_ids),
                **more,
            }
        )
        return
    table = scored_table(folder.parent.parent.name, [predictions], details)
    for line in [markdown(table)] if full else [*unit_lines(table), f"every unit: {FULL}"]:
        say(line)
    say(f"run: {folder}")
    for line in lines:
        say(line)
