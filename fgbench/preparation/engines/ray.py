"""Engine ``ray``: the tasks of a stage on the machines of a Ray cluster, or in processes that it starts here.

All machines need the same versions, and the data and the work folder on a file system that they share. A task
takes one core, and the memory of ``--worker-memory`` where it is given. Tasks of machines that vanish are
submitted again; machines that join the cluster get tasks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from fgbench.errors import ConfigError, WorkerError, package_missing
from fgbench.preparation.engines._ray_messages import kept_from_output
from fgbench.preparation.engines.local import Runner, check_memory
from fgbench.preparation.lost_tasks import Lost, run_on
from fgbench.preparation.machines import OnMachine, check_versions, versions
from fgbench.workers import AfterDeath

T = TypeVar("T")
R = TypeVar("R")

ADDRESS = "RAY_ADDRESS"
"""Environment variable with the address of the cluster, as Ray itself reads it."""

_AHEAD = 2
"""Tasks in flight for each core of the cluster: one at work, one that its machine can begin at once."""

_ANSWER_S = 10.0
_NO_CLUSTER = "start one (ray start --head), name its address (host:6379), or leave it out"


@contextmanager
def start(jobs: int, *, memory_gb: float | None = None, address: str | None = None) -> Iterator[Runner]:
    """Connect to a Ray cluster, and start a runner on it; one that is connected already is used, and stays.

    Args:
        jobs: Largest number of tasks at a time where Ray is started here; a cluster takes one for each core.
        memory_gb: Most memory of each worker process, GB (10^9 bytes), which is also reserved on its machine.
        address: Address of the cluster, as ``ray.init`` takes it (``host:6379``, ``auto``); ``None`` takes
            that of ``RAY_ADDRESS``, else starts Ray here.

    Raises:
        DependencyError: If Ray is not installed.
        ConfigError: If the memory is out of range, or there is no cluster at the address.
        WorkerError: If a machine has other versions.
    """
    try:
        import ray
    except ImportError as error:
        raise package_missing("the engine ray needs", "ray", extra="ray") from error
    check_memory(memory_gb)
    is_connected = ray.is_initialized()
    with ExitStack() as stack:
        if not is_connected:
            stack.enter_context(kept_from_output())
            _connect(jobs, address or os.environ.get(ADDRESS))
            stack.callback(_disconnect)
        _check_machines()
        cluster = _RayCluster(memory_gb)

        def on_cluster(
            function: Callable[[T], R],
            tasks: Sequence[T],
            *,
            after_death: AfterDeath[T] | None = None,
            is_risky: Callable[[T], bool] | None = None,
        ) -> Iterator[R]:
            here = OnMachine(
                function=function, versions=versions(), folder=str(Path.cwd()), memory_gb=memory_gb
            )
            return run_on(cluster, here, tasks, most=lambda: _AHEAD * _cores(), after_death=after_death)

        yield on_cluster


def _disconnect() -> None:
    import ray

    with kept_from_output(of_this_thread=True):
        ray.shutdown()


def _connect(jobs: int, address: str | None) -> None:
    import ray

    options: dict[str, Any] = {"address": address} if address else {"address": "local", "num_cpus": jobs}
    _check_reachable(address)
    # Ray lets workers import from the folder in which it was connected: an empty one.
    with tempfile.TemporaryDirectory() as empty, contextlib.chdir(empty):
        try:
            ray.init(
                include_dashboard=False if not address else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **options,
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConfigError(
                f"no Ray cluster at {address or 'this machine'}: {str(error).strip().splitlines()[0][:200]}",
                _NO_CLUSTER,
            ) from error


def _check_reachable(address: str | None) -> None:
    """Try the port of an address, for whose answer Ray would wait for minutes.

    Raises:
        ConfigError: If nobody answers there.
    """
    host, separator, port = (address or "").rpartition("://")[2].rpartition(":")
    if not separator or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise ConfigError(f"no Ray cluster at {address}: {error}", _NO_CLUSTER) from error


def _cores() -> int:
    import ray

    resources: dict[str, float] = ray.cluster_resources()
    return int(resources.get("CPU", 1))


def _living() -> set[str]:
    """Ids of the machines that are there."""
    import ray

    machines: list[dict[str, Any]] = ray.nodes()
    return {machine["NodeID"] for machine in machines if machine["Alive"]}


def _check_machines() -> None:
    """Compare the versions on all machines with ours.

    Raises:
        WorkerError: If one differs; the machine is named.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    check = ray.remote(num_cpus=0, max_retries=0)(check_versions)
    asked = [
        check.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False)).remote(
            versions()
        )
        for node_id in sorted(_living())
    ]
    try:
        ray.get(asked)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, WorkerError):
            raise cause from None
        raise WorkerError(
            f"a machine of the cluster cannot run fgbench: {str(cause)[:200]}",
            "install the same fgbench on all machines of the cluster",
        ) from error
    except ray.exceptions.RayError:
        return  # a machine has just gone; tasks check again wherever they run


class _RayCluster:
    """Tasks as Ray's; the handle of a task in flight is the reference to its result."""

    def __init__(self, memory_gb: float | None) -> None:
        self._memory_gb = memory_gb
        self._machines = _living()

    def submit(self, function: Callable[[T], R], tasks: Sequence[T]) -> list[Any]:
        """Hand tasks to Ray, which does not repeat them by itself."""
        import ray

        options: dict[str, Any] = {"num_cpus": 1, "max_retries": 0}
        if self._memory_gb is not None:
            options["memory"] = int(self._memory_gb * 1e9)
        call: Any = ray.remote(**options)(_call)
        shared = ray.put(function)
        return [call.remote(shared, task) for task in tasks]

    def ended(self, flying: Collection[Any]) -> Collection[Any]:
        """Wait for one of the tasks."""
        import ray

        ready, _ = ray.wait(list(flying), num_returns=1)
        return list(ready)

    def result(self, handle: Any) -> Any | Lost:
        """Return a result; a lost task is its machine's fault if a machine has gone since the last look."""
        import ray

        try:
            return ray.get(handle)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except ray.exceptions.RayError as error:
            before, self._machines = self._machines, _living()
            said = str(error).strip().partition("\n")[0].partition(". ")[0]
            gone = bool(before - self._machines) or isinstance(error, ray.exceptions.NodeDiedError)
            return Lost(f"ended ({type(error).__name__}: {said[:200]})", with_machine=gone)


def _call(function: Callable[[T], R], task: T) -> R:
    return function(task)
