"""``fgbench.prepare``: clips and annotations to a work folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import name_of, name_or_none, path_or_none, switch, workers
from fgbench.api.chosen_shards import chosen_shard
from fgbench.api.progress import LOGGER, Shown, bars, log, shown_as
from fgbench.api.settings import changes_of_pairs
from fgbench.api.work import Work

if TYPE_CHECKING:
    from fgbench.preparation.report import RunReport


def prepare(
    data: str | os.PathLike[str] | None = None,
    recipe: str | os.PathLike[str] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    workdir: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    engine: str = "local",
    address: str | None = None,
    force: bool = False,
    retry: bool = False,
    verify: bool = False,
    drop_leaks: bool = False,
    decoder: str | None = None,
    worker_memory_gb: float | None = None,
    shard: str | None = None,
    shard_wait_s: float | None = None,
    force_unlock: bool = False,
    progress: Shown = None,
) -> Work:
    """Turn clips and annotations into a work folder, as ``fgbench prepare`` does; what is done is not done
    again.

    Args:
        data: Folder of the data set, or its URL in a storage, see :doc:`clusters`; ``None``: the embedded
            synthetic one, drawn if absent, or where ``recipe`` is of a public data set, its folder below
            ``FGBENCH_DATA``.
        recipe: Packed recipe or path of a YAML file; ``None``: ``default``, or ``demo`` for the embedded set.
        settings: Settings of the recipe to change, e.g. ``{"split.seed": 1}``.
        workdir: Work folder, or its URL in a storage, see :doc:`clusters`; ``None``:
            ``fgbench-data/<recipe or folder>/work``.
        jobs: Worker processes; ``None``: one per core.
        engine: How tasks are run: ``"local"``, ``"ray"``, ``"slurm"``, or an engine of another package.
        address: Address of the engine's cluster; ``None`` where it has none, or finds it by itself.
        force: Whether everything is computed anew.
        retry: Whether clips are tried again that failed for a reason that may have passed, e.g. lack of
            memory.
        verify: Whether all source files are hashed, also those with size and time as before.
        drop_leaks: Whether clips are taken out of training and validation that leak into another part.
        decoder: Video decoder in place of the recipe's, ``"pyav"`` or ``"decord"``.
        worker_memory_gb: Most memory of each worker, GB (Linux); ``None``: as the recipe says.
        shard: Share of the clips to do, ``"K/N"``: one of N processes on one work folder, see
            :doc:`clusters`; the last that ends writes the tables.
        shard_wait_s: Seconds to wait, where all clips have to be there, for shards that are not at work;
            ``None``: 60.
        force_unlock: Whether a lock of the work folder is broken first that a dead machine has left.
        progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is called
            with a name, the number done, and the total.

    Returns:
        The work folder; what needs a person is logged as warnings. After a shard that was not the last it
        has no tables yet.

    Raises:
        ConfigError: If the recipe is not valid, or the work folder is of other data.
        DatasetError: If the data set's layout is wrong.
        RejectRateError: If more clips are rejected than the recipe allows.
        ResourceError: If memory or disk are full, or another process works in the folder, which is named.
        ShardError: If other shards are missing and not at work.
        WorkerError: If a worker process dies.
    """
    from fgbench.api.preparing import preparation

    chosen = preparation(
        name_or_none("recipe", recipe, example="recipe='default', or the path of a YAML file"),
        path_or_none("data", data, example="data='my-clips'", takes_url=True),
        path_or_none("workdir", workdir, example="workdir='fgbench-data/my-clips/work'", takes_url=True),
        changes=changes_of_pairs("settings", settings),
        decoder=name_or_none("decoder", decoder, example="decoder='pyav'"),
        drop_leaks=switch("drop_leaks", drop_leaks),
    )
    chosen_shard(shard)
    jobs = workers(jobs)
    with bars(shown_as(progress)) as update:
        chosen.draw(jobs=jobs, progress=update)
        report = chosen.run(
            jobs=jobs,
            engine=name_of("engine", engine, example="engine='local'"),
            address=name_or_none("address", address, example="address='auto'"),
            force=switch("force", force),
            retry=switch("retry", retry),
            verify=switch("verify", verify),
            worker_memory_gb=worker_memory_gb,
            shard=shard,
            shard_wait_s=shard_wait_s,
            force_unlock=switch("force_unlock", force_unlock),
            progress=update,
        )
    _log_report(report)
    return Work(chosen.workdir)


def _log_report(report: RunReport) -> None:
    """Hand the remarks of a run to the logger: what needs a person as warnings."""
    for line in report.lines() if report.shard else (*report.notes, report.persons):
        log(line)
    for line in report.look:
        LOGGER.warning("%s", line)
