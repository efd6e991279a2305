"""Action units of work folders: their labels, and ``fgbench evaluate`` of their detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.cli.console import note, print_json, say
from fgbench.cli.origin_lines import origin_lines
from fgbench.cli.runs import FULL, opened

if TYPE_CHECKING:
    from fgbench.methods.action_units.frames import UnitData
    from fgbench.runs.unit_results import AuPredictions
    from fgbench.runs.weights import Trained
    from fgbench.training.context import Place


def unit_data(place: Place) -> UnitData | None:
    """Labels of action units that the data set of a work folder brings; ``None`` if it has none."""
    from fgbench import plugins
    from fgbench.catalogue.listing import unit_source
    from fgbench.methods.action_units.frames import UnitData
    from fgbench.preparation.prepare import saved

    prepared, root = saved(place.workdir)
    adapter = plugins.load("datasets", prepared.dataset.adapter)
    if not hasattr(adapter, "action_units"):
        return None
    own = adapter.CARD.people or prepared.dataset.adapter
    people = prepared.dataset.name if adapter.CARD.is_own else own
    source = unit_source(adapter, root, prepared.dataset.variant)
    for line in source.lines:
        place.note(f"{prepared.dataset.name}: {line}")
    return UnitData(place=place, rows=adapter.action_units(root), people=people, source=source)


def required_unit_data(place: Place, *, hint: str) -> UnitData:
    """As :func:`unit_data`.

    Raises:
        DatasetError: If it has none; the hint says what to do.
    """
    from fgbench.errors import DatasetError

    data = unit_data(place)
    if data is None:
        raise DatasetError(f"data set {place.details['dataset']} has no labels of action units", hint)
    return data


def tell_units(found: Sequence[UnitData], wanted: Sequence[str]) -> list[UnitData]:
    """Say which units are labelled and not trained on, and which are wanted and not labelled.

    Args:
        found: Labels of data sets.
        wanted: Names of the recipe's units.

    Returns:
        The same, to be read again.
    """
    from fgbench.naming import first_few

    kept = [replace(one, rows=tuple(one.rows)) for one in found]
    there = {unit for one in kept for row in one.rows for unit, label in row.labels.items() if label}
    if others := sorted(there - {*wanted}):
        note(f"labelled, but not among the recipe's action_units: {first_few(others)}")
    if bare := [unit for unit in wanted if unit not in there]:
        note(f"no frame is labelled for {first_few(bare)}: these outputs stay as they are drawn")
    return kept


def evaluate_units(
    trained: Trained,
    workdirs: Sequence[Path],
    device: str | None,
    how: Mapping[str, Any],
    *,
    full: bool,
    json: bool,
) -> None:
    """Predict test frames anew: of the data that a detector was scored on, or of others; print the scores.

    Args:
        trained: Weights of action units.
        workdirs: Work folders that are named, at least one.
        device: Name of the device.
        how: Further arguments of :func:`fgbench.cli.runs.opened`.
        full: Whether with the score of every unit.
        json: Whether as JSON.
    """
    from fgbench.methods.action_units.folders import further_folders

    with ExitStack() as stack:
        found = [stack.enter_context(opened(workdir, device, **how)) for workdir in workdirs]
        further = further_folders(trained, found)
        found += [stack.enter_context(opened(workdir, device, **how)) for workdir in further or ()]
        where = " and ".join(f"{place.details['dataset']} in {place.workdir}" for place in found)
        note(f"{trained.name} on {where}, {found[0].device}")
        if further is None:
            _elsewhere(trained, found[0], full=full, json=json)
        else:
            _again(trained, found, full=full, json=json)


def _again(trained: Trained, found: Sequence[Place], *, full: bool, json: bool) -> None:
    from fgbench.inference.unit_test import evaluate_units as predict_again
    from fgbench.runs.unit_results import read_au_result

    anew = predict_again(trained, found)
    folder = trained.path.parent
    n, most = len(anew.predictions.sample_ids), anew.largest_difference
    told = f"differ from those of the run by up to {most:.1e}" if most else "are equal to those of the run"
    _tell(
        folder,
        anew.predictions,
        read_au_result(folder)["details"],
        [f"the predictions of {n} frames {told}"],
        {"largest_difference": most},
        full=full,
        json=json,
    )


def _elsewhere(trained: Trained, place: Place, *, full: bool, json: bool) -> None:
    from fgbench.inference.units_elsewhere import evaluate_units_elsewhere
    from fgbench.runs.unit_results import read_au_predictions, read_au_result

    data = required_unit_data(place, hint="evaluate on one that has them, e.g. BP4D or DISFA")
    folder = evaluate_units_elsewhere(trained, data)
    found, details = read_au_predictions(folder), read_au_result(folder)["details"]
    bare = [
        unit for unit, is_there in zip(found.units, (found.labels != 0).any(0), strict=True) if not is_there
    ]
    lines = [f"not annotated here, so not scored: {', '.join(bare)}"] if bare else []
    _tell(
        folder,
        found,
        details,
        origin_lines(details) + lines,
        {"largest_difference": None},
        full=full,
        json=json,
    )


def _tell(
    folder: Path,
    found: AuPredictions,
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
        scores = unit_scores(found.labels, found.probabilities, found.units)
        print_json(
            {
                "run": str(folder),
                "details": dict(details),
                "units": [asdict(score) for score in scores],
                "mean_f1": mean_f1(scores),
                "n": len(found.sample_ids),
                **more,
            }
        )
        return
    table = scored_table(folder.parent.parent.name, [found], details)
    for line in [markdown(table)] if full else [*unit_lines(table), f"every unit: {FULL}"]:
        say(line)
    say(f"run: {folder}")
    for line in lines:
        say(line)
