"""Work of one task on a machine of a cluster: checks that it fits the command's, then the task itself."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from fgbench import __version__
from fgbench.errors import ResourceError, WorkerError
from fgbench.preparation.engines.local import limit_memory, limit_threads
from fgbench.provenance import package_versions
from fgbench.workfolders.folder import MARKER

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class OnMachine(Generic[T, R]):
    """A function that does its work on any machine that has the same fgbench and the same folders.

    Attributes:
        function: The function.
        versions: What the command runs with, from :func:`versions`.
        folder: Folder that relative paths start from.
        memory_gb: Most memory of the process, GB; ``None`` is without limit.
    """

    function: Callable[[T], R]
    versions: Mapping[str, str]
    folder: str
    memory_gb: float | None

    def __call__(self, task: T) -> R:
        """Do the task.

        Raises:
            WorkerError: If this machine has other versions.
            ResourceError: If it does not have the work folder.
        """
        check_versions(self.versions)
        with suppress(OSError):  # absolute paths need no folder to start from
            os.chdir(self.folder)
        workdir = getattr(task, "workdir", None)
        if isinstance(workdir, Path) and not (workdir / MARKER).is_file():
            raise ResourceError(
                f"the machine {platform.node()} does not have the work folder {workdir}",
                "put the work folder, and the data, on a file system that all machines of the cluster share",
            )
        limit_threads()
        if self.memory_gb is not None:
            limit_memory(self.memory_gb)
        return self.function(task)


def versions() -> dict[str, str]:
    """Return the versions here of all that can change the results of a preparation, by name."""
    packages = {name: version for name, version in package_versions().items() if name != "torch"}
    return {"fgbench": __version__, "Python": ".".join(map(str, sys.version_info[:2])), **packages}


def check_versions(expected: Mapping[str, str]) -> None:
    """Compare the versions on this machine with those of the command.

    Args:
        expected: What :func:`versions` returned there.

    Raises:
        WorkerError: If one is another.
    """
    here = versions()
    other = [
        f"{name} {here.get(name, 'not installed')} (the command has {expected.get(name, 'none')})"
        for name in sorted({*here, *expected})
        if here.get(name) != expected.get(name)
    ]
    if other:
        raise WorkerError(
            f"the machine {platform.node()} has {', '.join(other)}",
            "install the same versions on all machines of the cluster, so that results do not depend on them",
        )
