"""Detectors of action units: the labels that data sets bring, and networks trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from fgbench.catalogue.carried_listing import adapter_of
from fgbench.catalogue.listing import unit_source
from fgbench.config import TrainAuConfig
from fgbench.errors import DatasetError
from fgbench.methods.action_units import run as au_run
from fgbench.methods.action_units.frames import UnitData
from fgbench.methods.steps.work import How, open_place, seeded
from fgbench.naming import first_few
from fgbench.preparation.prepare import saved
from fgbench.preparation.report import quiet
from fgbench.training.context import Place

_HINT = (
    "train on one that has them (--workdir), then give its run with --au-weights; or take another trunk: "
    "train msau --trunk RUN, or --trunk none"
)


def train_units(
    config: TrainAuConfig,
    workdir: Path | str,
    *,
    further: Sequence[Path | str] = (),
    folds: int = 0,
    device: str | None = None,
    fold: str | None = None,
    seeds: int = 1,
    **how: Unpack[How],
) -> list[list[Path]]:
    """Train on the labels that the data set of a work folder brings, or one network on those of several.

    Args:
        config: The recipe.
        workdir: Work folder, in which the runs lie.
        further: Further work folders, whose frames are trained on too.
        folds: Groups of subjects to cross-validate over; 0 takes the work folder's own protocol.
        device: This and what follows: see :class:`fgbench.methods.steps.work.Runs`.

    Returns:
        Folders of the runs, of each seed those of all folds.

    Raises:
        FgbenchError: As of :func:`train_units_in` and :func:`fgbench.methods.steps.work.open_place`.
    """
    place = open_place(workdir, device, **how)
    unshown: How = {**how, "progress": quiet}
    others = [open_place(other, device, **unshown) for other in further]
    each_fold = [place] if folds or others else place.each_fold(fold)
    return [
        [folder for one in of_seed for folder in train_units_in(config, one, folds=folds, others=others)]
        for of_seed in zip(*(seeded(one, seeds) for one in each_fold), strict=True)
    ]


def train_units_in(
    config: TrainAuConfig, place: Place, *, folds: int = 0, others: Sequence[Place] = ()
) -> list[Path]:
    """As :func:`train_units`, in one place.

    Raises:
        DatasetError: If a data set has no labels of action units, or they cannot be trained on.
        FgbenchError: As of :func:`fgbench.methods.action_units.run.run`.
    """
    found = [required_unit_data(one, hint=_HINT) for one in (place, *others)]
    where = " and ".join(f"{data.dataset} in {data.place.workdir}" for data in found)
    place.note(f"recipe {config.name} on {where}, {place.device}")
    first, *further = tell_units(found, config.action_units)
    return au_run.run(
        config, place, first.rows, folds=folds, people=first.people, source=first.source, others=further
    )


def unit_data(place: Place) -> UnitData | None:
    """Labels of action units that the data set of a work folder brings; ``None`` if it has none."""
    prepared, root = saved(place.workdir)
    adapter = adapter_of(prepared.dataset, root)
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
    data = unit_data(place)
    if data is None:
        raise DatasetError(f"data set {place.details['dataset']} has no labels of action units", hint)
    return data


def tell_units(found: Sequence[UnitData], wanted: Sequence[str]) -> list[UnitData]:
    """Say which units are labelled and not trained on, and which are wanted and not labelled.

    Args:
        found: Labels of data sets, at least of one; the place of the first is told.
        wanted: Names of the recipe's units.

    Returns:
        The same, to be read again.
    """
    note = found[0].place.note
    kept = [replace(one, rows=tuple(one.rows)) for one in found]
    there = {unit for one in kept for row in one.rows for unit, label in row.labels.items() if label}
    if others := sorted(there - {*wanted}):
        note(f"labelled, but not among the recipe's action_units: {first_few(others)}")
    if bare := [unit for unit in wanted if unit not in there]:
        note(f"no frame is labelled for {first_few(bare)}: these outputs stay as they are drawn")
    return kept
