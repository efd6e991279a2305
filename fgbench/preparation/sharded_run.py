"""One shard of a preparation: its buckets, stage by stage, and the manifests if it is the last to end.

Stages that decide on all clips at once (``split``, ``audit``, ``augment``) need the results of all shards
before them: a shard waits for those of the others. Nothing is held while it works but the shard itself; the
work folder is held at its beginning and at its end, so that one shard alone writes the manifests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from fgbench.callbacks import Progress
from fgbench.errors import FgbenchError, ResourceError
from fgbench.files.hashing import digest_json
from fgbench.preparation import pipeline
from fgbench.preparation.gathering import check_complete, missing_owners, named, wait_for_others
from fgbench.preparation.machines import versions
from fgbench.preparation.passes import run_stage, whole_report
from fgbench.preparation.planning import PreparationState
from fgbench.preparation.report import RunReport, StageReport, stage_report
from fgbench.preparation.rereading import forget_changed, forget_moving
from fgbench.preparation.shards import Shard, check_number
from fgbench.preparation.stages.publish import publish
from fgbench.preparation.stored_results import StoredResults
from fgbench.workfolders import folder as workfolder
from fgbench.workfolders import holding
from fgbench.workfolders.shard_locks import hold_shard
from fgbench.workfolders.verification import DamagedFilesError

SHARD_WAIT_S = 60.0
"""Seconds that a shard waits for others that are not at work: as long as their starts may lie apart."""

_NOTE_S = 5.0
_BEGIN_S = 60.0
_END_S = 24 * 3600.0
"""Seconds to wait for other shards that hold the work folder: to keep notes, to begin, and to end, while one
writes the manifests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Demands on a shard; see :func:`fgbench.preparation.prepare.run`."""

    force: bool
    retry: bool
    verify: bool
    recheck: bool
    wait_s: float


def run_shard(
    state: PreparationState,
    shard: Shard,
    recipe: Mapping[str, Any],
    runners: Callable[[], AbstractContextManager[Any]],
    choices: Choices,
    *,
    worker_memory_gb: float | None,
    progress: Progress,
) -> RunReport:
    """Do one shard; the arguments and errors are those of :func:`fgbench.preparation.prepare.run`.

    Args:
        state: State before the first stage.
        shard: The shard.
        recipe: The recipe for the origin of the work folder.
        runners: Starts the runner of tasks.
        choices: What is asked of it.
        worker_memory_gb: For the report.
        progress: Called for finished buckets.
    """
    check_number(shard, state.config.buckets)
    state.shard = shard
    workdir = state.workdir
    facts = {"recipe": digest_json(recipe), "data": digest_json(sorted(state.digests.items())), **versions()}
    with ExitStack() as held:
        with holding.working_in(workdir, beside_shards=True, wait_s=_BEGIN_S):
            held.enter_context(hold_shard(workdir, shard.number, shard.of, facts))
            workfolder.write_origin(workdir, recipe, state.root)
        state.results = StoredResults(workdir, recheck=choices.recheck or choices.force, shared=True)
        with runners() as state.runner:
            if choices.verify:
                forget_changed(state, progress)
            while True:
                try:
                    reports = _own_share(state, shard, choices, progress)
                    return _end(state, shard, reports, worker_memory_gb)
                except DamagedFilesError:
                    continue  # the buckets of these files now count as not done


def _own_share(
    state: PreparationState, shard: Shard, choices: Choices, progress: Progress
) -> list[StageReport]:
    """Do the buckets of the shard in all stages."""
    reports: list[StageReport] = []
    stages = pipeline.stages(state.config)
    state.finished.clear()
    try:
        for number, stage in enumerate(stages):
            if stage.plan is not None and stage.is_enabled(state.config):
                wait_for_others(
                    state, shard, stages[:number], before=stage.name, wait_s=choices.wait_s, progress=progress
                )
            reports.append(
                run_stage(state, stage, force=choices.force, retry=choices.retry, progress=progress)
            )
    except FgbenchError:
        with (
            suppress(ResourceError),
            holding.working_in(state.workdir, beside_shards=True, wait_s=_NOTE_S),
        ):
            state.results.settle()
        raise
    return reports


def _end(
    state: PreparationState, shard: Shard, reports: list[StageReport], worker_memory_gb: float | None
) -> RunReport:
    """Write the manifests if all shards are done; else return a report that names those that are not."""
    stages = pipeline.stages(state.config)
    with holding.working_in(state.workdir, beside_shards=True, wait_s=_END_S):
        state.results.settle()
        if missing := missing_owners(state, shard, stages):
            return _partial_report(state, shard, reports, named(state, shard, missing))
        for stage in stages:
            check_complete(state, stage)
        try:
            published, counts = publish(
                state.config,
                state.workdir,
                state.finished,
                state.listing,
                results=state.results,
                runner=state.runner,
            )
        finally:
            state.results.settle()
        forget_moving(state)
        whole = [
            stage_report(
                stage.name,
                state.finished[stage.name],
                total=len(state.finished[stage.name]),
                done=state.done[stage.name],
            )
            for stage in stages
        ]
        return whole_report(
            state, whole, published=published, counts=counts, worker_memory_gb=worker_memory_gb
        )


def _partial_report(
    state: PreparationState, shard: Shard, reports: list[StageReport], missing: tuple[str, ...]
) -> RunReport:
    return RunReport(
        recipe=state.config.name,
        root=str(state.root),
        workdir=str(state.workdir),
        clips=sum(len(entries) for bucket, entries in state.sources.items() if shard.has(bucket)),
        stages=tuple(reports),
        published=False,
        damage=tuple(dict.fromkeys(state.results.damage)),
        shard=str(shard),
        missing=missing,
    )
