"""``work.status``: progress of a work folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import path_of
from fgbench.notebook_lines import NotebookLines

if TYPE_CHECKING:
    from fgbench.preparation.report import RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(NotebookLines):
    """Progress of a work folder.

    Attributes:
        workdir: The folder.
        recipe: Name of the recipe.
        root: Folder of the data set; ``None`` of tables alone, as ``fgbench.pull`` writes them.
        report: Buckets that are done and wait, accepted and rejected clips, stage by stage.
        counts: Part to kind (``clips``, ``images``, ``augmented``) to number in the manifests; ``None``
            where these are not complete.
        notes: Remarks on faces, in words.
        readings: How often the test part was read, and faults of the ledger, in words.
        stale: Runs of data or labels that have changed since, with the numbers of changed labels, in words.
    """

    workdir: Path
    recipe: str
    root: Path | None
    report: RunReport
    counts: Mapping[str, Mapping[str, int]] | None
    notes: tuple[str, ...]
    readings: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether nothing waits, and the manifests are complete."""
        return self.counts is not None and not self.report.waiting

    def to_json(self) -> dict[str, Any]:
        """Return plain values; a stage has done what was done in this folder."""
        from fgbench.runs.ledger.counts import ledger_json

        stages = [{**asdict(stage), "done": stage.buckets - stage.waiting} for stage in self.report.stages]
        return {
            **asdict(self.report),
            "stages": stages,
            "counts": self.counts,
            "alignment": list(self.notes),
            "ledger": ledger_json(self.workdir),
            "stale": list(self.stale),
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        from fgbench.naming import counted
        from fgbench.preparation.report_lines import counts_line, done_lines
        from fgbench.records import SPLITS
        from fgbench.workfolders.default_folders import for_messages

        clips = counted(self.report.clips, "clip")
        data = "tables alone, without the clips" if self.root is None else f"data {for_messages(self.root)}"
        lines = [f"recipe {self.recipe}, {data}, {clips}", *done_lines(self.report)]
        if self.counts is None:
            lines.append("manifests are not complete; run fgbench prepare")
        parts = sorted((self.counts or {}).items(), key=lambda item: SPLITS.index(item[0]))
        counts = (counts_line(part, of_part) for part, of_part in parts)
        return [*lines, *self.notes, *counts, *self.readings, *self.stale]

    def __repr__(self) -> str:
        done = "complete" if self.is_complete else f"{self.report.waiting} buckets wait"
        return f"<Status of {self.workdir}: {done}>"


def status(workdir: str | os.PathLike[str]) -> Status:
    """Return what is done, what waits and what was rejected in a work folder; nothing is done.

    Raises:
        DatasetError: If the data set has moved, or its layout is wrong.
        ManifestError: If it is no work folder, or its recipe is damaged.
    """
    from fgbench.errors import ManifestError
    from fgbench.preparation.lone_tables import recipe_of_manifests, report_of_manifests
    from fgbench.preparation.prepare import preview, saved_here
    from fgbench.preparation.report import alignment_notes
    from fgbench.runs.ledger.chain import read_ledger
    from fgbench.runs.ledger.counts import ledger_lines
    from fgbench.runs.ledger.missing import ledger_faults
    from fgbench.workfolders.folder import has_tables_alone
    from fgbench.workfolders.manifest_index import read_index

    folder = path_of("workdir", workdir, example="work.path")
    if has_tables_alone(folder):
        config, root = recipe_of_manifests(folder), None
        report = report_of_manifests(folder, config)
    else:
        config, root = saved_here(folder)
        report = preview(config, root, folder)
    try:
        counts = read_index(folder)["counts"]
        notes = alignment_notes(config, folder)
    except ManifestError:
        counts, notes = None, []
    return Status(
        workdir=folder,
        recipe=config.name,
        root=root,
        report=report,
        counts=counts,
        notes=tuple(notes),
        readings=(*ledger_lines(folder), *ledger_faults(folder, read_ledger(folder))),
        stale=_stale(folder),
    )


def _stale(folder: Path) -> tuple[str, ...]:
    """Sentences on runs whose data have changed since; none without runs that can be read."""
    from fgbench.errors import FgbenchError
    from fgbench.reports.experiments import sound_experiments
    from fgbench.reports.freshness import state_notes, states_of

    try:
        experiments = sound_experiments(folder)
        states = states_of(folder, experiments)
    except FgbenchError:
        return ()
    names = [experiment.name for experiment in experiments]
    return tuple(state_notes(zip(names, states, strict=True)))
