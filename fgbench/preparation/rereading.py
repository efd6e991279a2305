"""Buckets to read anew, since a file of the data set changed during or after they were read."""

from __future__ import annotations

from fgbench.callbacks import Progress
from fgbench.preparation import markers as stored
from fgbench.preparation import pipeline
from fgbench.preparation.planning import PreparationState, plan_stage
from fgbench.preparation.stages._source_files import Check, has_changed
from fgbench.workfolders.sealed_json import discard


def forget_moving(state: PreparationState) -> None:
    """Make the next run read those buckets anew of which a file changed during this one."""
    moving = {
        bucket
        for markers in state.finished.values()
        for bucket, marker in markers.items()
        if not marker.is_final
    }
    for bucket in sorted(moving):
        _forget(state, bucket)


def forget_changed(state: PreparationState, progress: Progress) -> None:
    """Mark buckets as not read of which a file changed although its size and time are the same."""
    first = pipeline.stages(state.config)[0]
    _, markers = plan_stage(state, first, force=False, write=False)
    checks = [Check(marker, state.workdir, state.root) for _, marker in sorted(markers.items())]
    for done, (marker, is_changed) in enumerate(state.runner(has_changed, checks), start=1):
        if is_changed:
            state.finished[first.name] = markers
            _forget(state, marker.bucket)
        progress("verify", done, len(checks))


def _forget(state: PreparationState, bucket: int) -> None:
    """Mark the first stage's result of a bucket as not done."""
    first = pipeline.stages(state.config)[0].name
    marker = state.finished[first][bucket]
    discard(stored.marker_path(state.workdir, first, bucket, marker.fingerprint))
