"""Engine ``slurm``: the tasks of a stage as array jobs of Slurm, by submitit.

The command runs where jobs can be submitted, and waits for them. All machines need the same versions, and the
data and the work folder on a file system that they share. Tasks of jobs that vanish (a machine fails, the
time limit ends it) are submitted again.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from fgbench.errors import ConfigError, WorkerError, package_missing
from fgbench.preparation.engines.local import Runner, check_memory
from fgbench.preparation.lost_tasks import Lost, run_on
from fgbench.preparation.machines import OnMachine, versions
from fgbench.workers import AfterDeath, safe_path

T = TypeVar("T")
R = TypeVar("R")

LOCAL = "local"
"""Address that runs the jobs as processes of this machine, to try the engine where there is no Slurm."""

TRIAL = {"address": LOCAL}
"""Arguments of :func:`start` that need no cluster."""

_MEMORY_GB = 4.0
"""Memory of a job where no limit is given: that of the stage that needs most, twice."""
_TIMEOUT_MIN = 240
_POLL_S = 0.5
_ARRAY = 1000
"""Most tasks of an array; Slurm's own default limit is 1001."""
_BLAMELESS = ("NODE_FAIL", "PREEMPTED", "CANCELLED", "REVOKED", "BOOT_FAIL")
"""States of jobs that ended for reasons that are not their own."""


@contextmanager
def start(jobs: int, *, memory_gb: float | None = None, address: str | None = None) -> Iterator[Runner]:
    """Start a runner that submits tasks to Slurm.

    Partition, account, time limit and the like are those of Slurm's own variables (``SBATCH_PARTITION``,
    ``SBATCH_ACCOUNT``, ``SBATCH_TIMELIMIT``), which come before what is asked for here.

    Args:
        jobs: Largest number of tasks at a time.
        memory_gb: Memory that a job asks for and may take, GB (10^9 bytes); ``None`` asks for 4.
        address: :data:`LOCAL`, or ``None`` for Slurm.

    Raises:
        DependencyError: If submitit is not installed.
        ConfigError: If the memory is out of range, the address is another, or there is no Slurm here.
    """
    try:
        import submitit
    except ImportError as error:
        raise package_missing("the engine slurm needs", "submitit", extra="slurm") from error
    check_memory(memory_gb)
    if address not in (None, LOCAL):
        raise ConfigError(
            f"the engine slurm with the address {address!r}, expected none, or {LOCAL!r}",
            "run the command on a machine where sbatch works",
        )
    if address is None and shutil.which("sbatch") is None:
        raise ConfigError(
            "there is no Slurm on this machine (no sbatch)",
            f"run the command where jobs can be submitted; --address {LOCAL} tries the engine here",
        )
    clusters: list[_SlurmCluster] = []

    def as_jobs(
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        after_death: AfterDeath[T] | None = None,
        is_risky: Callable[[T], bool] | None = None,
    ) -> Iterator[R]:
        if not tasks:
            return iter(())
        here = OnMachine(function=function, versions=versions(), folder=str(Path.cwd()), memory_gb=memory_gb)
        if not clusters:
            folder = _private_folder(getattr(tasks[0], "workdir", None))
            executor = (submitit.LocalExecutor if address == LOCAL else submitit.SlurmExecutor)(
                folder, python=f"{shlex.quote(sys.executable)} -P"
            )
            clusters.append(_SlurmCluster(executor, folder, jobs=jobs, memory_gb=memory_gb))
        most = jobs if address == LOCAL else _ARRAY
        return run_on(clusters[0], here, tasks, most=lambda: most, after_death=after_death)

    try:
        yield as_jobs
    finally:
        for cluster in clusters:
            cluster.stop()


def _private_folder(workdir: Any) -> Path:
    """Make a folder for the files of jobs, which this user alone may open, where all machines see it."""
    logs = workdir.absolute() / "logs" if isinstance(workdir, Path) else None
    if logs is not None:
        logs.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="slurm-", dir=logs))


class _SlurmCluster:
    """Tasks as jobs of submitit, whose handle is the job."""

    def __init__(self, executor: Any, folder: Path, *, jobs: int, memory_gb: float | None) -> None:
        self._executor = executor
        self._folder = folder
        self._flying: set[Any] = set()
        if executor.name() == "slurm":
            executor.update_parameters(
                job_name="fgbench",
                cpus_per_task=1,
                mem=f"{int((memory_gb or _MEMORY_GB) * 1e3)}MB",
                time=_TIMEOUT_MIN,
                array_parallelism=jobs,
            )
        else:
            executor.update_parameters(timeout_min=_TIMEOUT_MIN)

    def submit(self, function: Callable[[T], R], tasks: Sequence[T]) -> list[Any]:
        """Submit tasks as an array."""
        with safe_path():
            jobs = list(self._executor.map_array(_Outcome(function), tasks))
        self._flying.update(jobs)
        return jobs

    def ended(self, flying: Collection[Any]) -> Collection[Any]:
        """Look every half second which jobs have ended."""
        while True:
            done = [job for job in flying if job.done()]
            if done:
                return done
            time.sleep(_POLL_S)

    def result(self, handle: Any) -> Any | Lost:
        """Return the result of a job; one that left none was lost."""
        from submitit.core.utils import FailedJobError

        self._flying.discard(handle)
        state = str(handle.state)
        error = handle.exception()
        if isinstance(error, FailedJobError):
            raise WorkerError(
                f"a job of the cluster cannot run fgbench: {str(error).strip().splitlines()[-3][:200]}",
                "install the same fgbench on all machines of the cluster",
            ) from error
        if error is not None:
            return Lost(f"ended without a result ({state})", with_machine=state.startswith(_BLAMELESS))
        is_done, outcome = handle.result()
        if not is_done:
            raise outcome
        return outcome

    def stop(self) -> None:
        """Cancel jobs that are still there, and remove the files of all."""
        for job in self._flying:
            job.cancel(check=False)
        shutil.rmtree(self._folder, ignore_errors=True)


class _Outcome:
    """A function whose errors are results too, so that they come back as what they are."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, task: Any) -> tuple[bool, Any]:
        """Return whether the task was done, and its result or error."""
        try:
            return True, self._function(task)
        except Exception as error:
            return False, error
