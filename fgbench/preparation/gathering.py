"""Results of other shards, taken up as they are finished, and the wait for those that are not."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress

from fgbench.callbacks import Progress
from fgbench.errors import ShardError
from fgbench.preparation.identities import identities_of
from fgbench.preparation.markers import marker_path, stage_folder
from fgbench.preparation.pipeline import Stage
from fgbench.preparation.planning import PreparationState
from fgbench.preparation.report import check_reject_rate, stage_report
from fgbench.preparation.shards import Shard
from fgbench.workfolders.shard_locks import shards_at_work

POLL_S = 2.0
"""Seconds between two looks for results of others."""

_MOST_NAMED = 8


def take_up(state: PreparationState, stage: Stage) -> list[int]:
    """Take up what other shards have finished of a stage, and return the buckets that are missing."""
    found = state.finished.setdefault(stage.name, {})
    missing = [bucket for bucket in state.buckets(stage) if bucket not in found]
    if not missing:
        return []
    folder = stage_folder(state.workdir, stage.name)
    names: set[str] = set()
    with suppress(FileNotFoundError):  # listing asks a file server anew, where looking up one name may not
        names = set(os.listdir(folder))  # noqa: PTH208 - a Path for each takes longer
    identities = {
        bucket: identity
        for bucket, identity in identities_of(state, stage, missing).items()
        if marker_path(state.workdir, stage.name, bucket, identity).name in names
    }
    found.update(state.results.adopt(stage.name, identities))
    return [bucket for bucket in missing if bucket not in found]


def wait_for_others(
    state: PreparationState,
    shard: Shard,
    stages: Sequence[Stage],
    *,
    before: str,
    wait_s: float,
    progress: Progress,
) -> None:
    """Wait until all shards have done some stages; those that are at work have all the time they need.

    Args:
        state: The state; gets the results of the others.
        shard: The own shard.
        stages: The stages, in their order.
        before: Name of the stage that needs them.
        wait_s: Seconds to wait while no missing shard is at work.
        progress: Called when results appear.

    Raises:
        ShardError: If shards are missing and none of them is at work.
        RejectRateError: If a stage rejects more clips than the recipe allows.
    """
    for stage in stages:
        before_s, n_missing = time.monotonic(), -1
        while missing := take_up(state, stage):
            owners = {shard.owner(bucket) for bucket in missing}
            living = {one.number for one in shards_at_work(state.workdir) if one.of == shard.of}
            if owners & living or len(missing) != n_missing:
                before_s = time.monotonic()
            elif time.monotonic() - before_s >= wait_s:
                raise _missing(shard, owners, stage.name, before)
            n_missing = len(missing)
            n_all = len(state.buckets(stage))
            progress(f"{stage.name} of others", n_all - n_missing, n_all)
            time.sleep(min(POLL_S, max(0.05, wait_s)))
        check_complete(state, stage)


def check_complete(state: PreparationState, stage: Stage) -> None:
    """Check the limit on rejects of a stage that all shards have done.

    Raises:
        RejectRateError: If it rejected more clips than the recipe allows.
    """
    markers = state.finished[stage.name]
    check_reject_rate(
        stage_report(stage.name, markers, total=len(markers), done=0), state.config, state.workdir
    )


def missing_owners(state: PreparationState, shard: Shard, stages: Sequence[Stage]) -> dict[int, str]:
    """Return the shards that have not done all, by number, each with the first stage that it lacks."""
    for stage in stages:
        if missing := take_up(state, stage):
            return dict.fromkeys(sorted({shard.owner(bucket) for bucket in missing}), stage.name)
    return {}


def named(state: PreparationState, shard: Shard, owners: dict[int, str]) -> tuple[str, ...]:
    """Return words for each missing shard: what it lacks, and whether it is at work."""
    living = {one.number: one.holder for one in shards_at_work(state.workdir) if one.of == shard.of}
    return tuple(
        f"{number}/{shard.of}: {stage} is not done, "
        + (f"at work: {living[number]}" if number in living else "not at work")
        for number, stage in owners.items()
    )


def _missing(shard: Shard, owners: set[int], stage: str, before: str) -> ShardError:
    names = [f"{number}/{shard.of}" for number in sorted(owners)]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ShardError(
        f"shard {shard} has done what it can: {before} needs {stage} of all clips, and of the shards that "
        f"have not done it none is at work: {', '.join(names[:_MOST_NAMED])}{more}",
        "start them, with the same recipe and data, and then this one again; nothing is lost. --shard-wait "
        "gives them more time to start; without --shard one process does all that is missing",
    )
