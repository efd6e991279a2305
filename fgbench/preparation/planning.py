"""Plans of a preparation: the state of its stages, and the tasks of a stage that are not done.

Reads the listing of the data set, markers and plans of the work folder; writes plans.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.catalogue.listing import Listing, list_data
from fgbench.catalogue.open_settings import name_of, settled
from fgbench.catalogue.pseudonyms import naming_of
from fgbench.catalogue.stamps import Stamp, Stamps, source_digest
from fgbench.config import PrepareConfig
from fgbench.errors import ManifestError
from fgbench.files.hashing import bucket_of
from fgbench.preparation import fingerprints, pipeline
from fgbench.preparation import markers as stored
from fgbench.preparation.failures import TRANSIENT
from fgbench.preparation.identities import identities_of, selected_frames, written_classes
from fgbench.preparation.pipeline import Marker, Stage, Task
from fgbench.preparation.shards import Shard
from fgbench.preparation.stored_results import StoredResults
from fgbench.records import ClipEntry
from fgbench.remote.copy_folders import copy_at
from fgbench.workfolders.shard_locks import SHARDS
from fgbench.workfolders.verification import Claim

_PLANNING_S = 24 * 3600.0


@dataclass(slots=True)
class PreparationState:
    """State of one pass over the stages."""

    config: PrepareConfig
    root: Path
    workdir: Path
    listing: Listing
    sources: Mapping[int, tuple[ClipEntry, ...]]
    digests: Mapping[int, str]
    stamps: Stamps
    results: StoredResults
    runner: Callable[..., Iterable[Any]] = map
    done: Counter[str] = field(default_factory=Counter)
    finished: dict[str, dict[int, Marker]] = field(default_factory=dict)
    shard: Shard | None = None
    plans: dict[str, dict[int, Any]] = field(default_factory=dict)

    def stamps_of(self, bucket: int) -> tuple[Stamp, ...]:
        """States of the files of a bucket's entries when the digest of the bucket was taken."""
        return tuple(self.stamps.of(entry.path) for entry in self.sources[bucket])

    def inputs(self, stage: Stage, bucket: int) -> dict[str, dict[str, Path]]:
        """Input files of a bucket, by stage and output."""
        files = {}
        for name in stage.inputs:
            marker = self.finished[name].get(bucket)
            folder = pipeline.stage_folder(self.workdir, name)
            files[name] = marker.files(folder) if marker is not None else {}
        return files

    def demand_inputs(self, stage: Stage, buckets: Iterable[int]) -> None:
        """Check that the inputs a stage is about to read for some buckets are intact.

        Raises:
            DamagedFilesError: If they are not.
        """
        self.results.demand(self.claims_of_inputs(stage, buckets), self.runner)

    def claims_of_inputs(self, stage: Stage, buckets: Iterable[int]) -> list[Claim]:
        """Expected contents of the inputs of a stage for some buckets."""
        of = [(name, self.finished[name].get(bucket)) for bucket in buckets for name in stage.inputs]
        return [
            claim for name, marker in of if marker is not None for claim in self.results.claims(name, marker)
        ]

    def buckets(self, stage: Stage) -> list[int]:
        """Buckets that have items for a stage."""
        if not stage.is_enabled(self.config):
            return []
        if not stage.inputs:
            return sorted(self.sources)
        first = self.finished[stage.inputs[0]]
        return sorted(bucket for bucket, marker in first.items() if marker.accepted)


def _anchored(config: PrepareConfig) -> PrepareConfig:
    """Return the recipe with the absolute path of a model file, to find it from other folders too."""
    if config.faces.detector_model is None:
        return config
    model = str(Path(config.faces.detector_model).expanduser().absolute())
    return config.model_copy(update={"faces": config.faces.model_copy(update={"detector_model": model})})


def begin(config: PrepareConfig, root: Path, workdir: Path) -> PreparationState:
    """List a data set and return the state of a preparation of it; nothing is written.

    Raises:
        DatasetError: If the data set's layout is wrong or it lists no clip.
    """
    config = _anchored(config)
    listing = list_data(config.dataset, root, naming_of(config, config.dataset.name or name_of(root)))
    dataset = config.dataset.model_copy(update={"scheme": listing.scheme})
    config, notes = settled(config.model_copy(update={"dataset": dataset}), listing.entries, root)
    listing = replace(listing, notes=(*listing.notes, *notes))
    by_bucket: dict[int, list[ClipEntry]] = defaultdict(list)
    for entry in listing.entries:
        by_bucket[bucket_of(entry.clip_id, config.buckets)].append(entry)
    sources = {bucket: tuple(entries) for bucket, entries in sorted(by_bucket.items())}
    stamps = Stamps(root)
    names = [config.dataset.name, config.dataset.scheme]
    digests = {bucket: source_digest(entries, stamps, names) for bucket, entries in sources.items()}
    return PreparationState(
        config=config,
        root=root,
        workdir=workdir,
        listing=listing,
        sources=sources,
        digests=digests,
        results=StoredResults(workdir, keep=False, elsewhere=copy_at(workdir)),
        stamps=stamps,
    )


def plan_stage(
    state: PreparationState,
    stage: Stage,
    *,
    force: bool,
    retry: bool = False,
    skip: set[int] | frozenset[int] = frozenset(),
    write: bool = True,
) -> tuple[list[Task], dict[int, Marker]]:
    """Return the tasks of a stage that are not done, and the markers of those that are."""
    section = stage.config(state.config)
    buckets = [bucket for bucket in state.buckets(stage) if bucket not in skip]
    plans = _decide(state, stage, buckets, write=write) if stage.plan is not None and buckets else {}
    state.plans[stage.name] = plans
    buckets = [bucket for bucket in buckets if state.shard is None or state.shard.has(bucket)]
    identities = identities_of(state, stage, buckets)
    markers = state.results.find(stage.name, identities, state.runner, only_made=force)
    made = state.results.made
    markers = {
        bucket: marker
        for bucket, marker in markers.items()
        if made(stage.name, marker) or not _is_passing(marker, retry=retry)
    }
    tasks = []
    for bucket in buckets:
        if bucket in markers:
            continue
        tasks.append(
            Task(
                stage=stage.name,
                bucket=bucket,
                fingerprint=identities[bucket],
                workdir=state.workdir,
                root=state.root,
                dataset=state.config.dataset.name,
                scheme=state.listing.scheme,
                classes=state.listing.classes if state.listing.are_listed else (),
                written=written_classes(state, bucket) if stage.reads_classes else (),
                upper=state.listing.upper,
                config=section,
                inputs=state.inputs(stage, bucket),
                entries=state.sources[bucket] if not stage.inputs else (),
                stamps=state.stamps_of(bucket) if not stage.inputs else (),
                plan=plans.get(bucket),
                selected=selected_frames(state, bucket) if stage.reads_selection else {},
            )
        )
    return tasks, markers


def _is_passing(marker: Marker, *, retry: bool) -> bool:
    """Return whether a result is to be made anew, since the causes of some rejects may have passed."""
    return not marker.is_final or (retry and bool(marker.reasons.keys() & TRANSIENT))


def _decide(
    state: PreparationState,
    stage: Stage,
    buckets: Sequence[int],
    *,
    write: bool,
) -> dict[int, Any]:
    """Return the stage's plan for all buckets, kept in a file to spare an unchanged run the tables.

    Of several shards one makes it, and the others wait for it.
    """
    section = stage.config(state.config)
    digests = {bucket: fingerprints.input_digests(stage, bucket, state.finished) for bucket in buckets}
    path = fingerprints.plan_path(state.workdir, stage, section, digests)
    inputs = {bucket: state.inputs(stage, bucket) for bucket in buckets}
    if state.shard is None or path.exists():
        return _planned(state, stage, path, inputs, write=write)
    with storage.held(
        state.workdir / SHARDS / f"plan-{stage.name}.lock",
        f"another shard takes more than {_PLANNING_S / 3600:.0f} hours for the plan of {stage.name}",
        hint="end it if it hangs",
        wait_s=_PLANNING_S,
    ):
        return _planned(state, stage, path, inputs, write=write)


def _planned(
    state: PreparationState,
    stage: Stage,
    path: Path,
    inputs: Mapping[int, Mapping[str, Mapping[str, Path]]],
    *,
    write: bool,
) -> dict[int, Any]:
    """Return a stored plan, or make it."""
    assert stage.plan is not None
    section = stage.config(state.config)
    try:
        return stored.read_plan(path, inputs, stage.plan_shape)
    except FileNotFoundError:
        pass
    except ManifestError as error:
        state.results.drop_plan(path, error.message)
    if write:
        state.demand_inputs(stage, inputs)
    else:
        state.results.verified.fetch(state.claims_of_inputs(stage, inputs))
    plans = stage.plan(section, inputs)
    if write:
        stored.write_plan(path, plans)
    return dict(plans)
