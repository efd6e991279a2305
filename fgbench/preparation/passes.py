"""Parts of a pass over the stages: one stage on the buckets that are not done, and the report at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fgbench.callbacks import Progress
from fgbench.preparation import execution
from fgbench.preparation.engines.local import limit_notes
from fgbench.preparation.pipeline import Stage
from fgbench.preparation.planning import PreparationState, plan_stage
from fgbench.preparation.report import RunReport, StageReport, alignment_notes, failures_of, stage_report
from fgbench.preparation.stages._closing_notes import closing_notes
from fgbench.preparation.stages._equal_files import equal_files
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index


def run_stage(
    state: PreparationState, stage: Stage, *, force: bool, retry: bool, progress: Progress
) -> StageReport:
    """Do a stage on its buckets that are not done, of a shard on those of the shard.

    Raises:
        DamagedFilesError: If inputs turn out to be damaged; they are dropped.
    """
    tasks, markers = plan_stage(state, stage, force=force, retry=retry)
    state.demand_inputs(stage, [task.bucket for task in tasks])
    total = len(tasks) + len(markers)
    progress(stage.name, len(markers), total)
    computed = state.runner(
        execution.execute,
        tasks,
        after_death=execution.without_fatal_item,
        is_risky=execution.was_fatal,
    )
    for marker in computed:
        markers[marker.bucket] = marker
        state.results.add(stage.name, marker)
        state.done[stage.name] += 1
        progress(stage.name, len(markers), total)
    state.finished[stage.name] = markers
    if tasks:
        state.results.save()
    return stage_report(stage.name, markers, total=total, done=state.done[stage.name])


def whole_report(
    state: PreparationState,
    reports: Sequence[StageReport],
    *,
    published: bool,
    counts: Mapping[str, Mapping[str, int]],
    worker_memory_gb: float | None,
) -> RunReport:
    """Return the report of a preparation whose manifests are there.

    Raises:
        ManifestError: If a table is missing or damaged.
    """
    config, workdir = state.config, state.workdir
    notes = (
        *state.listing.notes,
        *state.listing.inventory.lines,
        *equal_files(workdir / MANIFESTS / "clips.parquet"),
        *alignment_notes(config, workdir),
        *limit_notes(worker_memory_gb),
    )
    look = closing_notes(
        state.config,
        state.root,
        workdir,
        state.finished,
        classes=read_index(workdir)["classes"],
        notes=notes,
        all_official=config.split.use_official and all(entry.split for entry in state.listing.entries),
    )
    return RunReport(
        recipe=config.name,
        root=str(state.root),
        workdir=str(workdir),
        clips=sum(len(entries) for entries in state.sources.values()),
        stages=tuple(reports),
        published=published,
        counts=counts,
        left_out=state.listing.left_out,
        failures=failures_of(workdir, state.finished),
        damage=tuple(dict.fromkeys(state.results.damage)),
        notes=notes,
        persons=look.persons,
        look=look.lines,
        is_untrainable=look.is_untrainable,
    )
