"""Identities of results: what stages would make of buckets, from the state of a preparation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fgbench.files.hashing import digest_file, digest_json
from fgbench.preparation import fingerprints
from fgbench.preparation.pipeline import Stage
from fgbench.taxonomy import FREE, normal_label

if TYPE_CHECKING:
    from fgbench.preparation.planning import PreparationState


def identities_of(state: PreparationState, stage: Stage, buckets: Iterable[int]) -> dict[int, str]:
    """Return the identities of a stage's results for buckets whose inputs are done, by bucket."""
    section = stage.config(state.config)
    files = {path.name: digest_file(path) for path in (stage.files(section) if stage.files else ())}
    plans = state.plans.get(stage.name, {})
    return {
        bucket: fingerprints.fingerprint(
            stage,
            section,
            fingerprints.input_digests(stage, bucket, state.finished),
            source=_source(state, stage, bucket),
            plan=plans.get(bucket),
            files=files,
        )
        for bucket in buckets
    }


def _source(state: PreparationState, stage: Stage, bucket: int) -> str:
    """Return the digest of a stage's inputs that are neither results nor in its section of the recipe."""
    if not stage.inputs:
        return state.digests[bucket]
    if stage.reads_selection:
        selected = selected_frames(state, bucket)
        return digest_json({clip_id: list(frames) for clip_id, frames in selected.items()})
    listing = state.listing
    if stage.reads_classes and listing.are_listed:
        return digest_json([sorted(listing.classes), dict(listing.upper)])
    written = written_classes(state, bucket) if stage.reads_classes else ()
    return digest_json(written) if written else ""


def written_classes(state: PreparationState, bucket: int) -> tuple[str, ...]:
    """Return the user's own classes among a bucket's labels that are not spelled in their normal form."""
    listing = state.listing
    odd = {normal_label(name): name for name in listing.classes if normal_label(name) != name}
    if listing.scheme != FREE or not odd:
        return ()
    labels = {
        normal_label(label)
        for entry in state.sources[bucket]
        for label in (entry.label or "", *(vote.label for vote in entry.votes))
    }
    return tuple(name for wanted, name in odd.items() if wanted in labels)


def selected_frames(state: PreparationState, bucket: int) -> dict[str, tuple[int, ...]]:
    """Return the selected frames of the clips of a bucket that have any selection, which may be of none."""
    return {
        entry.clip_id: entry.selected_frames
        for entry in state.sources[bucket]
        if entry.selected_frames is not None
    }
