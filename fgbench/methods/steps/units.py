"""Detectors of action units: the labels of data sets, and networks trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from fgbench.callbacks import ignore
from fgbench.catalogue.carried_listing import adapter_of
from fgbench.catalogue.listing import unit_source
from fgbench.config import TrainAuConfig
from fgbench.errors import DatasetError
from fgbench.methods.action_units import run as au_run
from fgbench.methods.action_units.frames import UnitData
from fgbench.methods.steps.contexts import CommonOptions, open_training, seeded
from fgbench.naming import first_few
from fgbench.preparation.prepare import saved
from fgbench.training.context import TrainingContext
from fgbench.workfolders.folder import has_tables_alone

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
    **how: Unpack[CommonOptions],
) -> list[list[Path]]:
    """Train on the labels of a work folder's data set, or one network on those of several.

    Args:
        config: The recipe.
        workdir: Work folder that holds the runs.
        further: Further work folders, whose frames are trained on too.
        folds: Groups of subjects to cross-validate over; 0 takes the work folder's own protocol.
        device: This and what follows: see :class:`fgbench.methods.steps.contexts.Runs`.

    Returns:
        Folders of the runs: of each seed those of all folds.

    Raises:
        FgbenchError: As of :func:`train_units_in` and :func:`fgbench.methods.steps.contexts.open_training`.
    """
    context = open_training(workdir, device, **how)
    quietly: CommonOptions = {**how, "progress": ignore}
    others = [open_training(other, device, **quietly) for other in further]
    each_fold = [context] if folds or others else context.each_fold(fold)
    return [
        [folder for one in of_seed for folder in train_units_in(config, one, folds=folds, others=others)]
        for of_seed in zip(*(seeded(one, seeds) for one in each_fold), strict=True)
    ]


def train_units_in(
    config: TrainAuConfig, context: TrainingContext, *, folds: int = 0, others: Sequence[TrainingContext] = ()
) -> list[Path]:
    """Train as :func:`train_units`, in one context.

    Raises:
        DatasetError: If a data set has no labels of action units, or they cannot be trained on.
        FgbenchError: As of :func:`fgbench.methods.action_units.run.run`.
    """
    sources = [required_unit_data(one, hint=_HINT) for one in (context, *others)]
    where = " and ".join(f"{data.dataset} in {data.context.workdir}" for data in sources)
    context.note(f"recipe {config.name} on {where}, {context.device}")
    first, *further = note_units(sources, config.action_units)
    return au_run.run(
        config, context, first.rows, folds=folds, people=first.people, source=first.source, others=further
    )


def unit_data(context: TrainingContext) -> UnitData | None:
    """Return the labels of action units of a work folder's data set; ``None`` if it has none.

    Raises:
        DatasetError: If the work folder has tables alone: these labels lie beside the clips.
    """
    if has_tables_alone(context.workdir):
        raise DatasetError(
            f"labels of action units lie beside the clips, and {context.workdir} has the tables alone",
            "fgbench prepare, with the clips, into another folder",
        )
    prepared, root = saved(context.workdir)
    adapter = adapter_of(prepared.dataset, root)
    if not hasattr(adapter, "action_units"):
        return None
    own = adapter.CARD.people or prepared.dataset.adapter
    people = prepared.dataset.name if adapter.CARD.is_own else own
    source = unit_source(adapter, root, prepared.dataset.variant)
    for line in source.lines:
        context.note(f"{prepared.dataset.name}: {line}")
    return UnitData(context=context, rows=adapter.action_units(root), people=people, source=source)


def required_unit_data(context: TrainingContext, *, hint: str) -> UnitData:
    """Return labels as :func:`unit_data` does.

    Raises:
        DatasetError: If there are none, with the hint.
    """
    data = unit_data(context)
    if data is None:
        raise DatasetError(f"data set {context.details['dataset']} has no labels of action units", hint)
    return data


def note_units(sources: Sequence[UnitData], wanted: Sequence[str]) -> list[UnitData]:
    """Note which units are labelled but not trained on, and which are trained on but not labelled.

    Args:
        sources: Labels of data sets, at least of one; the context of the first gets the notes.
        wanted: Names of the recipe's units.

    Returns:
        The same, with rows that can be read several times.
    """
    note = sources[0].context.note
    kept = [replace(one, rows=tuple(one.rows)) for one in sources]
    labelled = {unit for one in kept for row in one.rows for unit, label in row.labels.items() if label}
    if others := sorted(labelled - {*wanted}):
        note(f"labelled, but not among the recipe's action_units: {first_few(others)}")
    if unlabelled := [unit for unit in wanted if unit not in labelled]:
        note(f"no frame is labelled for {first_few(unlabelled)}: these outputs stay as they are drawn")
    return kept
