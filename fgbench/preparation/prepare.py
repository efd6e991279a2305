"""``fgbench prepare``: run the stages in their order, do what is not done yet, publish the manifests.

Reads a recipe and the data set; writes the work folder described in `fgbench.preparation.pipeline`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fgbench import plugins
from fgbench.callbacks import Progress, ignore
from fgbench.catalogue.left_to_data import settled
from fgbench.catalogue.listing import Listing, list_data
from fgbench.catalogue.stamps import Stamp, Stamps, source_digest
from fgbench.config import PrepareConfig
from fgbench.config.earlier import in_todays_words
from fgbench.errors import ManifestError
from fgbench.files.hashing import bucket_of, digest_file, digest_json
from fgbench.preparation import execution, pipeline
from fgbench.preparation import markers as stored
from fgbench.preparation.engines.local import limit_notes
from fgbench.preparation.failures import TRANSIENT
from fgbench.preparation.pipeline import Marker, Stage, Task
from fgbench.preparation.report import RunReport as RunReport
from fgbench.preparation.report import StageReport as StageReport
from fgbench.preparation.report import alignment_notes, check_reject_rate, failures_of, stage_report
from fgbench.preparation.stages._equal_files import equal_files
from fgbench.preparation.stages._look_here import look_here
from fgbench.preparation.stages._source_files import Check, has_changed
from fgbench.preparation.stages._told_rejects import reject_lines, rejected_rows
from fgbench.preparation.stages.publish import publish
from fgbench.preparation.stored_results import StoredResults
from fgbench.records import ClipEntry
from fgbench.taxonomy import FREE, normal_label
from fgbench.workfolders import folder as workfolder
from fgbench.workfolders.folder import RUN_FILE
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index
from fgbench.workfolders.sealed_json import discard
from fgbench.workfolders.verification import DamagedFilesError


@dataclass(slots=True)
class _Run:
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
        of = [(name, self.finished[name].get(bucket)) for bucket in buckets for name in stage.inputs]
        self.results.demand(
            (
                claim
                for name, marker in of
                if marker is not None
                for claim in self.results.claims(name, marker)
            ),
            self.runner,
        )

    def buckets(self, stage: Stage) -> list[int]:
        """Buckets that have items for a stage."""
        if not stage.is_enabled(self.config):
            return []
        if not stage.inputs:
            return sorted(self.sources)
        first = self.finished[stage.inputs[0]]
        return sorted(bucket for bucket, marker in first.items() if marker.accepted)


def run(
    config: PrepareConfig,
    root: Path,
    workdir: Path,
    *,
    jobs: int = 1,
    engine: str = "local",
    force: bool = False,
    retry: bool = False,
    verify: bool = False,
    worker_memory_gb: float | None = None,
    recheck: bool = False,
    progress: Progress = ignore,
) -> RunReport:
    """Prepare a data set; finished work is not done again, damaged results are made again.

    Size, times and inode of existing results and of the manifests are compared with those noted when they
    were last hashed; files that differ, and all that are read to compute something, are hashed.

    Args:
        config: The recipe.
        root: Root of the data set.
        workdir: The work folder; made if absent.
        jobs: Worker processes.
        engine: Plugin in ``fgbench/engines``.
        force: Compute every bucket anew.
        retry: Compute those buckets anew in which items failed for reasons that may have passed
            (:data:`fgbench.preparation.failures.TRANSIENT`).
        verify: Hash all source files, and read those buckets again that have a changed or rejected one.
        worker_memory_gb: Most memory of each worker, GB, instead of the recipe's; if given, the work is
            done in a worker process also where ``jobs`` is 1.
        recheck: Hash every result and every file of the manifests.
        progress: Called for finished buckets.

    Raises:
        ConfigError: If the work folder holds files and was not made by fgbench; nothing in it is changed.
        DatasetError: If the data set's layout is wrong or it lists no clip.
        RejectRateError: If a stage rejects more clips than the recipe allows.
        ResourceError: If another process works in the folder, it cannot be written, or parts of it are links.
        WorkerError: If a worker process dies.
    """
    state = _begin(config, root, workdir)  # faults of the data leave no work folder behind
    with workfolder.working_in(workdir):
        # Settings that depend on the clips are decided anew each time; the name of the data set stays.
        named = config.dataset.model_copy(update={"name": state.config.dataset.name})
        recipe = config.model_copy(update={"dataset": named, "faces": state.config.faces})
        workfolder.write_origin(workdir, recipe.model_dump(mode="json"), root)
        state.results = StoredResults(workdir, recheck=recheck or force)
        # The recipe's limit holds only where there are worker processes: this process has to live on.
        memory_gb = config.max_worker_gb if worker_memory_gb is None and jobs > 1 else worker_memory_gb
        with plugins.load("engines", engine).start(jobs, memory_gb=memory_gb) as runner:
            state.runner = runner
            if verify:
                _forget_changed(state, progress)
            while True:
                try:
                    reports, published, counts = _pass(state, force=force, retry=retry, progress=progress)
                    break
                except DamagedFilesError:
                    continue  # the buckets of these files now count as not done
                finally:
                    state.results.save()
        _forget_moving(state)
    notes = (
        *state.listing.notes,
        *state.listing.inventory.lines,
        *equal_files(workdir / MANIFESTS / "clips.parquet"),
        *alignment_notes(config, workdir),
        *limit_notes(worker_memory_gb),
    )
    look = look_here(
        state.config,
        workdir,
        state.finished,
        classes=read_index(workdir)["classes"],
        notes=notes,
        all_official=config.split.use_official and all(entry.split for entry in state.listing.entries),
    )
    return RunReport(
        recipe=config.name,
        root=str(root),
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


def _pass(
    state: _Run, *, force: bool, retry: bool, progress: Progress
) -> tuple[list[StageReport], bool, dict[str, dict[str, int]]]:
    """Run all stages in their order, then publish; return the report's stages, published and counts.

    Raises:
        DamagedFilesError: If results that later stages read turned out to be damaged; they are dropped.
    """
    reports = []
    for stage in pipeline.stages(state.config):
        tasks, markers = _plan(state, stage, force=force, retry=retry)
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
        reports.append(stage_report(stage.name, markers, total=total, done=state.done[stage.name]))
        check_reject_rate(reports[-1], state.config, state.workdir)
    published, counts = publish(
        state.config, state.workdir, state.finished, state.listing, results=state.results, runner=state.runner
    )
    return reports, published, counts


def preview(
    config: PrepareConfig, root: Path, workdir: Path, *, force: bool = False, retry: bool = False
) -> RunReport:
    """Report what :func:`run` would do; nothing is written.

    A bucket that waits in one stage waits in all later ones. Where decisions need all buckets (``split``,
    ``augment``) and some are not ready, more than those may have to be done: ``waiting`` is then a lower
    bound.
    """
    state = _begin(config, root, workdir)
    stale: set[int] = set()
    reports = []
    plannable = True
    for stage in pipeline.stages(state.config):
        if not stage.is_enabled(config):
            state.finished[stage.name] = {}
            reports.append(stage_report(stage.name, {}, total=0, done=0))
            continue
        plannable = plannable and not (stage.plan is not None and stale)
        if plannable:
            tasks, markers = _plan(state, stage, force=force, retry=retry, skip=stale, write=False)
            state.finished[stage.name] = markers
            stale |= {task.bucket for task in tasks}
        else:
            markers = {}
        total = max(len(markers) + len(stale), 0 if plannable else len(state.sources))
        reports.append(
            stage_report(
                stage.name, markers, total=total, done=0, waiting=len(stale), may_be_more=not plannable
            )
        )
    return RunReport(
        recipe=config.name,
        root=str(root),
        workdir=str(workdir),
        clips=sum(len(entries) for entries in state.sources.values()),
        stages=tuple(reports),
        published=False,
        left_out=state.listing.left_out,
        notes=(*state.listing.notes, *state.listing.inventory.lines),
        rejects=tuple(reject_lines(rejected_rows(workdir, state.finished), workdir)),
    )


def saved(workdir: Path) -> tuple[PrepareConfig, Path]:
    """Return recipe and data set of a work folder.

    Raises:
        ManifestError: If the folder was not made by ``fgbench prepare``, or its recipe is not valid.
        ResourceError: If it may not be read.
    """
    recipe, root = workfolder.read_origin(workdir)
    try:
        return PrepareConfig.model_validate(in_todays_words(recipe)), root
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "recipe"
        raise ManifestError(
            f"the recipe in {workdir / RUN_FILE} is not valid ({where}: {first['msg']})",
            "run fgbench prepare with its recipe and --data-root again: what is done is kept",
        ) from error


def unused_files(config: PrepareConfig, root: Path, workdir: Path) -> list[Path]:
    """Results of earlier recipes or inputs that the present one does not use, recognised by their names.

    Raises:
        ManifestError: If the work folder is not finished, so that the used results are not known.
    """
    state = _begin(config, root, workdir)
    used: set[Path] = set()
    for stage in pipeline.stages(state.config):
        tasks, markers = _plan(state, stage, force=False, write=False)
        if tasks:
            raise ManifestError(
                f"{workdir} is not finished (stage {stage.name})", "run fgbench prepare first"
            )
        state.finished[stage.name] = markers
        folder = pipeline.stage_folder(workdir, stage.name)
        for marker in markers.values():
            used.update(stored.marker_files(folder, marker))
    there = (workdir / "stages").glob("*/*")
    return sorted(path for path in there if pipeline.is_result(path.name) and path not in used)


def _anchored(config: PrepareConfig) -> PrepareConfig:
    """The recipe with the absolute path of a model file, so that it is found from other folders too."""
    if config.faces.detector_model is None:
        return config
    model = str(Path(config.faces.detector_model).expanduser().absolute())
    return config.model_copy(update={"faces": config.faces.model_copy(update={"detector_model": model})})


def _begin(config: PrepareConfig, root: Path, workdir: Path) -> _Run:
    config = _anchored(config)
    listing = list_data(config.dataset, root)
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
    return _Run(
        config=config,
        root=root,
        workdir=workdir,
        listing=listing,
        sources=sources,
        digests=digests,
        results=StoredResults(workdir, keep=False),
        stamps=stamps,
    )


def _plan(
    state: _Run,
    stage: Stage,
    *,
    force: bool,
    retry: bool = False,
    skip: set[int] | frozenset[int] = frozenset(),
    write: bool = True,
) -> tuple[list[Task], dict[int, Marker]]:
    """Tasks of a stage that are not done, and markers of those that are."""
    section = stage.config(state.config)
    buckets = [bucket for bucket in state.buckets(stage) if bucket not in skip]
    inputs = {bucket: state.inputs(stage, bucket) for bucket in buckets}
    digests = {bucket: pipeline.input_digests(stage, bucket, state.finished) for bucket in buckets}
    plans = _decide(state, stage, inputs, digests, write=write) if stage.plan is not None and buckets else {}
    files = {path.name: digest_file(path) for path in (stage.files(section) if stage.files else ())}
    identities = {
        bucket: pipeline.fingerprint(
            stage,
            section,
            digests[bucket],
            source=_source(state, stage, bucket),
            plan=plans.get(bucket),
            files=files,
        )
        for bucket in buckets
    }
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
                written=_written(state, bucket) if stage.reads_classes else (),
                upper=state.listing.upper,
                config=section,
                inputs=inputs[bucket],
                entries=state.sources[bucket] if not stage.inputs else (),
                stamps=state.stamps_of(bucket) if not stage.inputs else (),
                plan=plans.get(bucket),
            )
        )
    return tasks, markers


def _source(state: _Run, stage: Stage, bucket: int) -> str:
    """Digest of the inputs of a stage that are neither results nor in its section of the recipe."""
    if not stage.inputs:
        return state.digests[bucket]
    listing = state.listing
    if stage.reads_classes and listing.are_listed:
        return digest_json([sorted(listing.classes), dict(listing.upper)])
    written = _written(state, bucket) if stage.reads_classes else ()
    return digest_json(written) if written else ""


def _written(state: _Run, bucket: int) -> tuple[str, ...]:
    """The user's own classes among a bucket's labels that are not spelled in their normal form."""
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


def _is_passing(marker: Marker, *, retry: bool) -> bool:
    """Return whether a result is to be made anew, since the causes of some rejects may have passed."""
    return not marker.is_final or (retry and bool(marker.reasons.keys() & TRANSIENT))


def _forget_moving(state: _Run) -> None:
    """Make the next run read those buckets anew of which a file changed during this one."""
    moving = {
        bucket
        for markers in state.finished.values()
        for bucket, marker in markers.items()
        if not marker.is_final
    }
    for bucket in sorted(moving):
        _forget(state, bucket)


def _forget_changed(state: _Run, progress: Progress) -> None:
    """Mark buckets as not read of which a file changed although its size and time are the same."""
    first = pipeline.stages(state.config)[0]
    _, markers = _plan(state, first, force=False, write=False)
    checks = [Check(marker, state.workdir, state.root) for _, marker in sorted(markers.items())]
    for done, (marker, is_changed) in enumerate(state.runner(has_changed, checks), start=1):
        if is_changed:
            state.finished[first.name] = markers
            _forget(state, marker.bucket)
        progress("verify", done, len(checks))


def _forget(state: _Run, bucket: int) -> None:
    """Mark the first stage's result of a bucket as not done."""
    first = pipeline.stages(state.config)[0].name
    marker = state.finished[first][bucket]
    discard(stored.marker_path(state.workdir, first, bucket, marker.fingerprint))


def _decide(
    state: _Run,
    stage: Stage,
    inputs: Mapping[int, Mapping[str, Mapping[str, Path]]],
    digests: Mapping[int, Mapping[str, Mapping[str, str]]],
    *,
    write: bool,
) -> dict[int, Any]:
    """The stage's plan for all buckets, kept in a file so that an unchanged run need not read the tables."""
    assert stage.plan is not None
    section = stage.config(state.config)
    path = pipeline.plan_path(state.workdir, stage, section, digests)
    try:
        return stored.read_plan(path, inputs, stage.plan_shape)
    except FileNotFoundError:
        pass
    except ManifestError as error:
        state.results.drop_plan(path, error.message)
    if write:
        state.demand_inputs(stage, inputs)
    plans = stage.plan(section, inputs)
    if write:
        stored.write_plan(path, plans)
    return dict(plans)
