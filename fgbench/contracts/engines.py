"""The contract of engines."""

from __future__ import annotations

import inspect
from types import ModuleType

_NUMBERS = tuple(range(-3, 4))


def engine_faults(name: str, module: ModuleType) -> list[str]:
    """Violations of the contract by an engine: each task is done once, also with two workers or no task.

    Args:
        name: Its name.
        module: Its module; its ``TRIAL``, if it has one, are arguments with which it needs no cluster.
    """
    parameters = list(inspect.signature(module.start).parameters)
    if parameters[:1] != ["jobs"] or "memory_gb" not in parameters:
        return [f"start takes ({', '.join(parameters)}), expected (jobs, *, memory_gb=None)"]
    faults = []
    for jobs in (1, 2):
        with module.start(jobs, memory_gb=None, **getattr(module, "TRIAL", {})) as runner:
            for tasks in ((), _NUMBERS):
                results = sorted(runner(abs, tasks, after_death=None, is_risky=None))
                if results != sorted(map(abs, tasks)):
                    faults.append(f"{len(tasks)} tasks with jobs={jobs} give {len(results)} other results")
    return faults
