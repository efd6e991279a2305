"""``fgbench prepare``: take the stages in their order, do what is not done yet, publish the manifests.

Reads a recipe and the data set; writes the work folder described in `fgbench.pipeline`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fgbench import pipeline, plugins, storage
from fgbench.catalogue.listing import Listing, list_data
from fgbench.catalogue.stamps import Stamp, Stamps, source_digest
from fgbench.config import PrepareConfig
from fgbench.errors import ManifestError, RejectRateError
from fgbench.hashing import bucket_of, digest_file, digest_json
from fgbench.pipeline import Marker, Stage, Task
from fgbench.records import ClipEntry
from fgbench.stages._equal_files import equal_files
from fgbench.stages._source_files import Check, has_changed
from fgbench.stages.publish import MANIFESTS, publish

RUN_FILE = "prepare.json"
"""File in a work folder that tells its recipe and its data set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport:
    """What happened, or would happen, in one stage.

    Attributes:
        stage: Name of the stage.
        buckets: Buckets that have clips at this stage.
        done: Buckets computed in this run.
        waiting: Buckets that would have to be computed (dry run).
        accepted: Accepted clips in finished buckets.
        reasons: Reject reason to number of clips in finished buckets.
    """

    stage: str
    buckets: int
    done: int
    waiting: int
    accepted: int
    reasons: Mapping[str, int]

    @property
    def rejected(self) -> int:
        """Number of rejected clips."""
        return sum(self.reasons.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What a run of ``fgbench prepare`` did.

    Attributes:
        recipe: Name of the recipe.
        root: Root of the data set.
        workdir: The work folder.
        clips: Clips that the data set lists.
        stages: One report per stage, in order.
        published: Whether the manifests were written in this run.
        counts: Part to kind (``clips``, ``images``, ``augmented``) to number, from the manifests.
        left_out: Label to number of clips whose label is not in the recipe's label set.
        notes: What else of the data set a person should know, one line each: files that are not used, names
            that were taken as one, equal files under several names.
    """

    recipe: str
    root: str
    workdir: str
    clips: int
    stages: tuple[StageReport, ...]
    published: bool
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """Buckets computed in this run, over all stages."""
        return sum(stage.done for stage in self.stages)

    @property
    def waiting(self) -> int:
        """Buckets that would have to be computed, over all stages (dry run)."""
        return sum(stage.waiting for stage in self.stages)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        return asdict(self)


Progress = Callable[[str, int, int], None]
"""Called with a stage's name, finished buckets and all buckets."""


def _quiet(stage: str, done: int, total: int) -> None:
    """Progress to nobody."""


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
    finished: dict[str, dict[int, Marker]] = field(default_factory=dict)

    def stamps_of(self, bucket: int) -> tuple[Stamp, ...]:
        """States of the files of a bucket's entries when the digest of the bucket was taken."""
        return tuple(self.stamps.of(entry.path) for entry in self.sources[bucket])

    def inputs(self, stage: Stage, bucket: int) -> dict[str, dict[str, Path]]:
        """Input files of a bucket, by stage and output."""
        found = {}
        for name in stage.inputs:
            marker = self.finished[name].get(bucket)
            folder = pipeline.stage_folder(self.workdir, name)
            found[name] = marker.files(folder) if marker is not None else {}
        return found

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
    verify: bool = False,
    progress: Progress = _quiet,
) -> RunReport:
    """Prepare a data set; what is done already is not done again.

    Args:
        config: The recipe.
        root: Root of the data set.
        workdir: The work folder; made if absent.
        jobs: Worker processes.
        engine: Plugin in ``fgbench/engines``.
        force: Compute every bucket anew.
        verify: Hash all source files, and read those buckets again that have one which differs from what was
            read, or was rejected.
        progress: Told of finished buckets.

    Raises:
        DatasetError: If the data set's layout is wrong or it lists no clip.
        RejectRateError: If a stage rejects more clips than the recipe allows.
        ResourceError: If another process works in the folder, or it cannot be written.
        WorkerError: If a worker process dies.
    """
    with storage.exclusive(workdir):
        storage.remove_temporaries(workdir)
        state = _begin(config, root, workdir)
        storage.write_json(
            workdir / RUN_FILE, {"root": str(root.resolve()), "recipe": config.model_dump(mode="json")}
        )
        reports = []
        with plugins.load("engines", engine).start(jobs) as runner:
            if verify:
                _forget_changed(state, runner, progress)
            for stage in pipeline.stages():
                tasks, markers = _plan(state, stage, force=force)
                total = len(tasks) + len(markers)
                progress(stage.name, len(markers), total)
                for marker in runner(pipeline.execute, tasks):
                    markers[marker.bucket] = marker
                    progress(stage.name, len(markers), total)
                state.finished[stage.name] = markers
                reports.append(_report(stage.name, markers, total=total, done=len(tasks)))
                _check_reject_rate(reports[-1], config, workdir)
        _forget_moving(state)
        published, counts = publish(config, workdir, state.finished, state.listing)
    return RunReport(
        recipe=config.name,
        root=str(root),
        workdir=str(workdir),
        clips=sum(len(entries) for entries in state.sources.values()),
        stages=tuple(reports),
        published=published,
        counts=counts,
        left_out=state.listing.left_out,
        notes=(
            *state.listing.notes,
            *state.listing.inventory.lines,
            *equal_files(workdir / MANIFESTS / "clips.parquet"),
        ),
    )


def preview(config: PrepareConfig, root: Path, workdir: Path, *, force: bool = False) -> RunReport:
    """What :func:`run` would do; nothing is written.

    A bucket that waits in one stage waits in all later ones. Where decisions need all buckets (``split``,
    ``augment``) and some are not ready, more than those may have to be done: ``waiting`` is then a lower
    bound.
    """
    state = _begin(config, root, workdir)
    stale: set[int] = set()
    reports = []
    plannable = True
    for stage in pipeline.stages():
        if not stage.is_enabled(config):
            state.finished[stage.name] = {}
            reports.append(_report(stage.name, {}, total=0, done=0))
            continue
        plannable = plannable and not (stage.plan is not None and stale)
        if plannable:
            tasks, markers = _plan(state, stage, force=force, skip=stale, write=False)
            state.finished[stage.name] = markers
            stale |= {task.bucket for task in tasks}
        else:
            markers = {}
        total = max(len(markers) + len(stale), 0 if plannable else len(state.sources))
        reports.append(_report(stage.name, markers, total=total, done=0, waiting=len(stale)))
    return RunReport(
        recipe=config.name,
        root=str(root),
        workdir=str(workdir),
        clips=sum(len(entries) for entries in state.sources.values()),
        stages=tuple(reports),
        published=False,
        left_out=state.listing.left_out,
        notes=(*state.listing.notes, *state.listing.inventory.lines),
    )


def saved(workdir: Path) -> tuple[PrepareConfig, Path]:
    """Recipe and data set of a work folder.

    Raises:
        ManifestError: If the folder was not made by ``fgbench prepare``.
    """
    try:
        raw = storage.read_json(workdir / RUN_FILE)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ManifestError(
            f"{workdir} is not a work folder (no {RUN_FILE})", "run fgbench prepare first"
        ) from error
    return PrepareConfig.model_validate(raw["recipe"]), Path(raw["root"])


def unused_files(config: PrepareConfig, root: Path, workdir: Path) -> list[Path]:
    """Results of earlier recipes or inputs that the present one does not use.

    Raises:
        ManifestError: If the work folder is not finished, so that it is not known what will be used.
    """
    state = _begin(config, root, workdir)
    used: set[Path] = set()
    for stage in pipeline.stages():
        tasks, markers = _plan(state, stage, force=False, write=False)
        if tasks:
            raise ManifestError(
                f"{workdir} is not finished (stage {stage.name})", "run fgbench prepare first"
            )
        state.finished[stage.name] = markers
        folder = pipeline.stage_folder(workdir, stage.name)
        for marker in markers.values():
            used.update(pipeline.marker_files(folder, marker))
    return sorted(path for path in (workdir / "stages").rglob("*") if path.is_file() and path not in used)


def _begin(config: PrepareConfig, root: Path, workdir: Path) -> _Run:
    listing = list_data(config.dataset, root)
    by_bucket: dict[int, list[ClipEntry]] = defaultdict(list)
    for entry in listing.entries:
        by_bucket[bucket_of(entry.clip_id, config.buckets)].append(entry)
    sources = {bucket: tuple(found) for bucket, found in sorted(by_bucket.items())}
    stamps = Stamps(root)
    names = [config.dataset.name, config.dataset.scheme]
    digests = {bucket: source_digest(found, stamps, names) for bucket, found in sources.items()}
    return _Run(
        config=config,
        root=root,
        workdir=workdir,
        listing=listing,
        sources=sources,
        digests=digests,
        stamps=stamps,
    )


def _plan(
    state: _Run,
    stage: Stage,
    *,
    force: bool,
    skip: set[int] | frozenset[int] = frozenset(),
    write: bool = True,
) -> tuple[list[Task], dict[int, Marker]]:
    """Tasks of a stage that are not done, and markers of those that are."""
    section = stage.config(state.config)
    buckets = [bucket for bucket in state.buckets(stage) if bucket not in skip]
    inputs = {bucket: state.inputs(stage, bucket) for bucket in buckets}
    digests = {
        bucket: {
            name: state.finished[name][bucket].digests()
            for name in stage.inputs
            if bucket in state.finished[name]
        }
        for bucket in buckets
    }
    plans = _decide(state, stage, inputs, digests, write=write) if stage.plan is not None else {}
    files = {path.name: digest_file(path) for path in (stage.files(section) if stage.files else ())}
    tasks, markers = [], {}
    for bucket in buckets:
        identity = pipeline.fingerprint(
            stage,
            section,
            digests[bucket],
            source=state.digests[bucket] if not stage.inputs else "",
            plan=plans.get(bucket),
            files=files,
        )
        marker = None if force else pipeline.find_marker(state.workdir, stage.name, bucket, identity)
        if marker is not None and marker.is_final:
            markers[bucket] = marker
            continue
        tasks.append(
            Task(
                stage=stage.name,
                bucket=bucket,
                fingerprint=identity,
                workdir=state.workdir,
                root=state.root,
                dataset=state.config.dataset.name,
                scheme=state.config.dataset.scheme,
                config=section,
                inputs=inputs[bucket],
                entries=state.sources[bucket] if not stage.inputs else (),
                stamps=state.stamps_of(bucket) if not stage.inputs else (),
                plan=plans.get(bucket),
            )
        )
    return tasks, markers


def _forget_moving(state: _Run) -> None:
    """Let the next run read those buckets anew of which a file was exchanged during this one."""
    first = pipeline.stages()[0].name
    moving = {
        bucket
        for markers in state.finished.values()
        for bucket, marker in markers.items()
        if not marker.is_final
    }
    for bucket in sorted(moving):
        pipeline.forget(state.workdir, state.finished[first][bucket], first)


def _forget_changed(state: _Run, runner: Callable[..., Iterable[Any]], progress: Progress) -> None:
    """Let those buckets count as not read of which a file is another, although size and time are the same."""
    first = pipeline.stages()[0]
    _, markers = _plan(state, first, force=False, write=False)
    checks = [Check(marker, state.workdir, state.root) for _, marker in sorted(markers.items())]
    for done, (marker, is_changed) in enumerate(runner(has_changed, checks), start=1):
        if is_changed:
            pipeline.forget(state.workdir, marker, first.name)
        progress("verify", done, len(checks))


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
    identity = pipeline.fingerprint(
        stage, section, {str(bucket): {"all": digest_json(found)} for bucket, found in digests.items()}
    )
    path = state.workdir / "plans" / f"{stage.name}-{identity[:20]}.json"
    try:
        raw = storage.read_json(path)
    except FileNotFoundError:
        plans = stage.plan(section, inputs)
        if write:
            storage.write_json(path, {str(bucket): plan for bucket, plan in plans.items()})
        return dict(plans)
    return {int(bucket): plan for bucket, plan in raw.items()}


def _report(
    stage: str, markers: Mapping[int, Marker], *, total: int, done: int, waiting: int = 0
) -> StageReport:
    reasons: Counter[str] = Counter()
    for marker in markers.values():
        reasons.update(marker.reasons)
    return StageReport(
        stage=stage,
        buckets=total,
        done=done,
        waiting=waiting,
        accepted=sum(marker.accepted for marker in markers.values()),
        reasons=dict(sorted(reasons.items())),
    )


def _check_reject_rate(report: StageReport, config: PrepareConfig, workdir: Path) -> None:
    seen = report.accepted + report.rejected
    if not seen or report.rejected <= config.max_reject_rate * seen:
        return
    worst = sorted(report.reasons.items(), key=lambda item: (-item[1], item[0]))[:3]
    named = ", ".join(f"{reason} ({count})" for reason, count in worst)
    raise RejectRateError(
        f"stage {report.stage} rejected {report.rejected} of {seen} clips, the recipe allows "
        f"{config.max_reject_rate:.0%}: {named}",
        f"see {pipeline.stage_folder(workdir, report.stage)}/*.rejects.parquet; mend the clips, or raise "
        "max_reject_rate in the recipe",
    )
