"""Where a run reads and writes; nothing of it changes a result but the seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from fgbench.evaluation.results import SINGLE_FOLD, run_folder

Progress = Callable[[str, int, int], None]
"""Told a name, what is done, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlace:
    """Where a run reads and writes.

    Attributes:
        workdir: Work folder, with its manifests.
        manifest_digest: Digest of what is read of the manifests.
        details: Plain values to keep with the result (data set, whether it is drawn).
        seed: Of everything random.
        resume: Whether an unfinished run is continued; else it is started anew.
        force: Whether a finished run is made again.
        jobs: Processes, or threads that decode images.
        progress: Told of the work.
    """

    workdir: Path
    manifest_digest: str
    details: Mapping[str, Any]
    seed: int
    resume: bool
    force: bool
    jobs: int
    progress: Progress

    @property
    def manifests(self) -> Path:
        """Folder of the manifests."""
        return self.workdir / "manifests"

    def folder(self, experiment: str, fold: str = SINGLE_FOLD) -> Path:
        """Folder of a run.

        Raises:
            ConfigError: If a name cannot be that of a folder.
        """
        return run_folder(self.workdir, experiment=experiment, fold=fold, seed=self.seed)

    def with_seed(self, seed: int) -> Self:
        """The same place for another seed."""
        return replace(self, seed=seed)
