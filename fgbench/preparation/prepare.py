"""``fgbench prepare``: run the stages in their order, do what is not done yet, publish the manifests.

Reads a recipe and the data set; writes the work folder described in `fgbench.preparation.pipeline`.
"""

from __future__ import annotations

from functools import partial
from inspect import signature
from pathlib import Path

from pydantic import ValidationError

from fgbench import plugins
from fgbench.callbacks import Progress, ignore
from fgbench.config import PrepareConfig
from fgbench.config.older_recipes import in_current_form
from fgbench.errors import ConfigError, ManifestError
from fgbench.naming import shown
from fgbench.preparation import fingerprints, pipeline, settling
from fgbench.preparation import markers as stored
from fgbench.preparation.kept_copies import in_step, is_read_always, refuse_same_place
from fgbench.preparation.passes import run_stage, whole_report
from fgbench.preparation.planning import PreparationState, begin, plan_stage
from fgbench.preparation.report import RunReport as RunReport
from fgbench.preparation.report import StageReport as StageReport
from fgbench.preparation.report import check_reject_rate, stage_report
from fgbench.preparation.rereading import forget_changed, forget_moving
from fgbench.preparation.sharded_run import SHARD_WAIT_S, Choices, run_shard
from fgbench.preparation.shards import Shard
from fgbench.preparation.stages._reject_lines import reject_lines, rejected_rows
from fgbench.preparation.stages.publish import publish
from fgbench.preparation.stored_results import StoredResults
from fgbench.remote.copy_folders import copy_at
from fgbench.remote.mirrors import mirrored, url_of_mirror
from fgbench.remote.urls import url_of
from fgbench.workfolders import folder as workfolder
from fgbench.workfolders import holding
from fgbench.workfolders.default_folders import REMOTE
from fgbench.workfolders.folder import RUN_FILE
from fgbench.workfolders.verification import DamagedFilesError


def run(
    config: PrepareConfig,
    root: Path,
    workdir: Path,
    *,
    jobs: int = 1,
    engine: str = "local",
    address: str | None = None,
    force: bool = False,
    retry: bool = False,
    verify: bool = False,
    worker_memory_gb: float | None = None,
    recheck: bool = False,
    force_unlock: bool = False,
    shard: Shard | None = None,
    shard_wait_s: float = SHARD_WAIT_S,
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
        address: Address of its cluster; ``None`` where it has none, or finds it by itself.
        force: Compute every bucket anew.
        retry: Compute those buckets anew in which items failed for reasons that may have passed
            (:data:`fgbench.preparation.failures.TRANSIENT`).
        verify: Hash all source files, and read those buckets again that have a changed or rejected one.
        worker_memory_gb: Most memory of each worker, GB, instead of the recipe's; if given, the work is
            done in a worker process also where ``jobs`` is 1.
        recheck: Hash every result and every file of the manifests.
        force_unlock: Break a lock first that a dead process of another machine has left.
        shard: Share of the buckets to do; the manifests are written by the shard that ends last.
        shard_wait_s: Seconds to wait for what other shards have to do first, since one of them was at work.
        progress: Called for finished buckets.

    Raises:
        ConfigError: If the work folder holds files and was not made by fgbench, the engine takes no
            address, or there are more shards than buckets; nothing in it is changed.
        DatasetError: If the data set's layout is wrong or it lists no clip.
        DependencyError: If the rule that settles votes needs a package that is not installed.
        RejectRateError: If a stage rejects more clips than the recipe allows.
        ResourceError: If another process works in the folder, it cannot be written, or parts of it are links.
        ShardError: If other shards are missing and not at work.
        WorkerError: If a worker process dies.
    """
    where = engine_options(engine, address)
    settling.require(config.consensus.rule)
    copy = copy_at(workdir)
    if copy is not None and shard is not None:
        raise ConfigError(
            f"shard {shard} of a work folder in a storage, {shown(copy.url)}: shards share a folder",
            "run without --shard, which continues what others have begun; or share a folder of a file system",
        )
    refuse_same_place(copy, root)
    state = begin(config, root, workdir)  # faults of the data leave no work folder behind
    # Settings that depend on the clips are decided anew each time; the name of the data set stays.
    named = config.dataset.model_copy(update={"name": state.config.dataset.name})
    recipe = config.model_copy(update={"dataset": named, "faces": state.config.faces}).model_dump(mode="json")
    # The recipe's limit holds only where there are worker processes: this process has to live on.
    memory_gb = config.max_worker_gb if worker_memory_gb is None and jobs > 1 else worker_memory_gb
    runners = partial(plugins.load("engines", engine).start, jobs, memory_gb=memory_gb, **where)
    if shard is not None:
        if force_unlock and workdir.is_dir():
            holding.unlock(workdir)
        choices = Choices(force=force, retry=retry, verify=verify, recheck=recheck, wait_s=shard_wait_s)
        return run_shard(
            state, shard, recipe, runners, choices, worker_memory_gb=worker_memory_gb, progress=progress
        )
    with (
        in_step(copy, force_unlock=force_unlock),
        holding.working_in(workdir, force_unlock=force_unlock and copy is None),
    ):
        workfolder.write_origin(workdir, recipe, root, None if copy is None else url_of_mirror(root))
        state.results = StoredResults(workdir, recheck=recheck or force, elsewhere=copy)
        with runners() as runner:
            state.runner = runner
            if verify:
                forget_changed(state, progress)
            while True:
                try:
                    reports, published, counts = _pass(state, force=force, retry=retry, progress=progress)
                    break
                except DamagedFilesError:
                    continue  # the buckets of these files now count as not done
                finally:
                    state.results.save()
        forget_moving(state)
    return whole_report(state, reports, published=published, counts=counts, worker_memory_gb=worker_memory_gb)


def engine_options(engine: str, address: str | None) -> dict[str, str]:
    """Return the arguments by which an engine is told its cluster.

    Raises:
        ConfigError: If it takes no address.
    """
    if address is None:
        return {}
    if "address" not in signature(plugins.load("engines", engine).start).parameters:
        raise ConfigError(
            f"the engine {engine} with the address {address!r}, expected none: it speaks to no cluster",
            "leave the address out, or choose an engine that has one (ray, slurm)",
        )
    return {"address": address}


def _pass(
    state: PreparationState, *, force: bool, retry: bool, progress: Progress
) -> tuple[list[StageReport], bool, dict[str, dict[str, int]]]:
    """Run all stages in their order, then publish; return the report's stages, published and counts.

    Raises:
        DamagedFilesError: If results that later stages read turned out to be damaged; they are dropped.
    """
    reports = []
    for stage in pipeline.stages(state.config):
        reports.append(run_stage(state, stage, force=force, retry=retry, progress=progress))
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
    copy = copy_at(workdir)
    if copy is not None:
        refuse_same_place(copy, root)
        if not copy.is_in_work:  # else it is in the state of the storage, or newer
            copy.pull(is_read_always)
    state = begin(config, root, workdir)
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
            tasks, markers = plan_stage(state, stage, force=force, retry=retry, skip=stale, write=False)
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
        rejects=tuple(reject_lines(rejected_rows(workdir, state.finished), root, workdir)),
    )


def saved_here(workdir: Path) -> tuple[PrepareConfig, Path]:
    """Return recipe and data set of a work folder, as :func:`saved`; where another machine has prepared a
    data set in a storage, its mirror here, brought to what the storage has.

    Raises:
        DatasetError: If the URL of the data set has no file.
        ManifestError: As of :func:`saved`.
        ResourceError: Likewise, or if its storage does not answer.
    """
    config, root = saved(workdir)
    noted = workfolder.data_url(workdir)
    if noted is None or root.exists() or (url := url_of(noted)) is None:
        return config, root
    return config, mirrored(url, REMOTE)


def saved(workdir: Path) -> tuple[PrepareConfig, Path]:
    """Return recipe and data set of a work folder.

    Raises:
        ManifestError: If the folder was not made by ``fgbench prepare``, or its recipe is not valid.
        ResourceError: If it may not be read.
    """
    recipe, root = workfolder.read_origin(workdir)
    try:
        return PrepareConfig.model_validate(in_current_form(recipe)), root
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
    state = begin(config, root, workdir)
    used: set[Path] = set()
    for stage in pipeline.stages(state.config):
        tasks, markers = plan_stage(state, stage, force=False, write=False)
        if tasks:
            raise ManifestError(
                f"{workdir} is not finished (stage {stage.name})", "run fgbench prepare first"
            )
        state.finished[stage.name] = markers
        folder = pipeline.stage_folder(workdir, stage.name)
        for marker in markers.values():
            used.update(stored.marker_files(folder, marker))
    there = (workdir / "stages").glob("*/*")
    return sorted(path for path in there if fingerprints.is_result(path.name) and path not in used)
