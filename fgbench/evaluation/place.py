"""Where a run reads and writes, of which classes and in which fold; else nothing of it changes a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from fgbench.evaluation.division import Division
from fgbench.evaluation.labels import LabelSet, fg33
from fgbench.evaluation.results import SINGLE_FOLD, finished_run, read_result, run_folder
from fgbench.evaluation.run_lock import hold_run
from fgbench.evaluation.samples import Sample

Progress = Callable[[str, int, int], None]
"""Told a name, what is done, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlace:
    """Where a run reads and writes.

    Attributes:
        workdir: Work folder, with its manifests.
        manifest_digest: Digest of what is read of the manifests.
        details: Plain values to keep with the result (data set, whether it is drawn, its label set and
            protocol).
        seed: Of everything random.
        resume: Whether an unfinished run is continued; else it is started anew.
        force: Whether a finished run is made again.
        jobs: Processes, or threads that decode images.
        progress: Told of the work.
        labels: The classes of the work folder.
        division: How its samples are divided.
        fold: The fold that is run.
        samples_digest: Digest of clips, faces and images alone, where ``manifest_digest`` is of features too;
            ``None`` if it is not.
    """

    workdir: Path
    manifest_digest: str
    details: Mapping[str, Any]
    seed: int
    resume: bool
    force: bool
    jobs: int
    progress: Progress
    labels: LabelSet = field(default_factory=fg33)
    division: Division = field(default_factory=Division)
    fold: str = SINGLE_FOLD
    samples_digest: str | None = None

    @property
    def faces_digest(self) -> str:
        """Digest of clips, faces and images, which features do not change."""
        return self.samples_digest or self.manifest_digest

    @property
    def manifests(self) -> Path:
        """Folder of the manifests."""
        return self.workdir / "manifests"

    def folder(self, experiment: str, fold: str | None = None) -> Path:
        """Folder of a run, of the place's fold unless another is named.

        Raises:
            ConfigError: If a name cannot be that of a folder.
        """
        return run_folder(self.workdir, experiment=experiment, fold=fold or self.fold, seed=self.seed)

    def hold(self, experiment: str, fold: str | None = None) -> AbstractContextManager[None]:
        """Hold the folder of a run while it is made, see :func:`fgbench.evaluation.run_lock.hold_run`.

        Raises:
            ConfigError: If a name cannot be that of a folder.
        """
        return hold_run(self.folder(experiment, fold))

    def finished(self, experiment: str, config: Mapping[str, Any]) -> Path | None:
        """Folder of the run in this place if it is there: with these settings, manifests, classes and folds.

        Args:
            experiment: Name of the experiment.
            config: All settings, as given to :func:`fgbench.evaluation.results.write_run`.

        Raises:
            ConfigError: If a name cannot be that of a folder.
        """
        folder = finished_run(
            self.workdir,
            experiment=experiment,
            fold=self.fold,
            seed=self.seed,
            config=config,
            manifest_digest=self.manifest_digest,
        )
        if folder is None:
            return None
        result = read_result(folder)
        told = result["details"].get("protocol") or {}
        is_same = (
            told.get("digest") == self.division.digest and tuple(result["classes"]) == self.labels.labels
        )
        return folder if is_same else None

    @property
    def identity(self) -> list[Any]:
        """What tells an unfinished run apart beside settings, manifests and seed; empty for the 33 leaves in
        parts train, val and test."""
        own = [] if self.labels == fg33() else [list(self.labels.labels)]
        return own if self.division.digest is None else [*own, self.division.digest]

    def divide(self, samples: Sequence[Sample]) -> list[Sample]:
        """Samples with the parts of the place's fold; those without a role in it are left out.

        Raises:
            ConfigError: If the work folder has no such fold.
            ManifestError: If a clip is in no fold.
        """
        return self.division.divide(samples, self.fold)

    def with_seed(self, seed: int) -> Self:
        """The same place for another seed."""
        return replace(self, seed=seed)

    def with_fold(self, fold: str) -> Self:
        """The same place for a fold.

        Raises:
            ConfigError: If the work folder has no such fold.
        """
        self.division.check_fold(fold)
        return replace(self, fold=fold)

    def each_fold(self, only: str | None = None) -> list[Self]:
        """The same place for every fold of the work folder, or for one.

        Raises:
            ConfigError: If the work folder has no such fold.
        """
        return [self.with_fold(fold) for fold in ([only] if only is not None else self.division.folds)]
