"""Context of a run: its folders, its classes, its fold. Nothing else of it affects results."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from fgbench.callbacks import Note, Progress, ignore
from fgbench.errors import DatasetError
from fgbench.runs.division import Division
from fgbench.runs.labels import LabelSet, fg33
from fgbench.runs.lock import hold_run
from fgbench.runs.lost_clips import lost_samples
from fgbench.runs.results import SINGLE_FOLD, finished_run, read_result, run_folder
from fgbench.runs.roles import Roles, assign_roles
from fgbench.runs.samples import Sample, clip_samples
from fgbench.runs.vote_shares import SOFT
from fgbench.workfolders.layout import MANIFESTS

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Context of a run.

    Attributes:
        workdir: Work folder, with its manifests.
        manifest_digest: Digest of the parts of the manifests that are read.
        details: Plain values to keep with the result (data set, whether it is drawn, its label set and
            protocol).
        seed: Seed of everything random.
        resume: Whether an unfinished run is continued; else it is started anew. Always false with ``force``.
        force: Whether a finished run is made again.
        jobs: Processes, or threads that decode images.
        progress: Called with the progress.
        labels: The classes of the work folder.
        division: Division of its samples.
        fold: Fold that is run.
        note: Called with sentences for the user, e.g. on damaged files that are made again.
        samples_digest: Digest of clips, faces and images alone, where ``manifest_digest`` includes features;
            ``None`` if it does not.
        earlier_digests: Digests that earlier versions of fgbench kept of these manifests.
        trackers: Names of the trackers that a training reports to.
        votes_digest: Digest of the same parts with the shares of the votes; ``None`` where no clip has votes.
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
    earlier_digests: frozenset[str] = frozenset()
    note: Note = ignore
    trackers: tuple[str, ...] = ()
    votes_digest: str | None = None

    def __post_init__(self) -> None:
        # Here and not in each method, as users add methods: a forced run starts anew.
        object.__setattr__(self, "resume", self.resume and not self.force)

    @property
    def faces_digest(self) -> str:
        """Digest of clips, faces and images, independent of features."""
        return self.samples_digest or self.manifest_digest

    def is_digest_of(self, digest: str | None) -> bool:
        """Whether a digest that a run kept is that of the current manifests."""
        return digest in {self.manifest_digest, self.votes_digest, *self.earlier_digests} - {None}

    def learning_from(self, target: str, recipe: str) -> Self:
        """Context of a run whose losses have a target: with ``"soft"`` its digest covers the votes, so that a
        changed vote makes the run one of old data.

        Args:
            target: ``losses.target`` of the recipe.
            recipe: Its name, for messages.

        Raises:
            DatasetError: If the target is soft and no clip has votes.
        """
        if target != SOFT:
            return self
        if self.votes_digest is None:
            raise DatasetError(
                f"recipe {recipe} learns from votes (losses.target: {SOFT}), and no clip of {self.workdir} "
                "has any",
                "bring votes.csv and run fgbench prepare, or set losses.target to hard",
            )
        return replace(self, manifest_digest=self.votes_digest, earlier_digests=frozenset())

    @property
    def manifests(self) -> Path:
        """Folder of the manifests."""
        return self.workdir / MANIFESTS

    def folder(self, experiment: str, fold: str | None = None) -> Path:
        """Folder of a run, in this fold unless another is named.

        Raises:
            ConfigError: If a name cannot be that of a folder.
        """
        return run_folder(self.workdir, experiment=experiment, fold=fold or self.fold, seed=self.seed)

    def hold(self, experiment: str, fold: str | None = None) -> AbstractContextManager[None]:
        """Hold the folder of a run while it is made, see :func:`fgbench.runs.lock.hold_run`.

        Raises:
            ConfigError: If a name cannot be that of a folder.
        """
        return hold_run(self.folder(experiment, fold))

    def finished(self, experiment: str, config: Mapping[str, Any]) -> Path | None:
        """Folder of the finished run of these manifests, classes and folds; ``None`` if there is none.

        Also ``None`` where it is to be made again (:attr:`force`).

        Args:
            experiment: Name of the experiment.
            config: All settings, as given to :func:`fgbench.runs.results.write_run`.

        Raises:
            ConfigError: If a name cannot be that of a folder, or it was made with other settings.
        """
        if self.force:
            return None
        folder = finished_run(
            self.workdir,
            experiment=experiment,
            fold=self.fold,
            seed=self.seed,
            config=config,
            manifest_digest=self.manifest_digest,
            earlier_digests=self.earlier_digests,
            note=self.note,
        )
        if folder is None:
            return None
        result = read_result(folder)
        protocol = result["details"].get("protocol") or {}
        is_same = (
            protocol.get("digest") == self.division.digest and tuple(result["classes"]) == self.labels.labels
        )
        return folder if is_same else None

    @property
    def identity(self) -> list[Any]:
        """Values that identify an unfinished run beside settings, manifests and seed; empty for the 33 leaves
        in parts train, val and test."""
        own = [] if self.labels == fg33() else [list(self.labels.labels)]
        return own if self.division.digest is None else [*own, self.division.digest]

    def divide(self, samples: Sequence[Sample]) -> list[Sample]:
        """Samples with their parts in this fold; those without a role in it are left out.

        Raises:
            ConfigError: If the work folder has no such fold.
            ManifestError: If a clip is in no fold.
        """
        return self.division.divide(samples, self.fold)

    def roles(
        self, samples: Sequence[Sample], *, protocol_name: str, with_features: Collection[str] | None = None
    ) -> Roles:
        """Roles of samples in this fold, after a check that every class has training samples.

        Args:
            samples: All samples of the work folder; copies only where they are to be trained on.
            protocol_name: Name for messages.
            with_features: Ids of samples that have features; ``None`` if all have.

        Raises:
            ConfigError: If the work folder has no such fold, or there are no training or test samples.
            DatasetError: If a class has no training sample.
            ManifestError: If a clip is in no fold.
        """
        assigned = assign_roles(
            self.divide(samples), protocol_name=protocol_name, with_features=with_features, fold=self.fold
        )
        self.check_trained(assigned.train)
        return assigned.with_lost(self.lost_tests(samples, fold=self.fold))

    def lost_tests(self, samples: Sequence[Sample], *, fold: str | None) -> list[Sample]:
        """Test samples of clips that could not be read.

        Args:
            samples: All readable samples: images, or whole clips.
            fold: Fold that tests; ``None`` for all together.

        Raises:
            ConfigError: If the work folder has no such fold.
            ManifestError: If the manifests are damaged.
        """
        lost, division = self._lost(samples), self.division
        divided = division.tested(lost) if fold is None else division.divide(lost, fold)
        return [sample for sample in divided if sample.part == "test"]

    def _lost(self, samples: Sequence[Sample]) -> list[Sample]:
        lost = lost_samples(self.manifests, samples)
        return [sample for sample in lost if sample.label in self.labels.labels]

    def check_trained(self, train: Sequence[Sample]) -> None:
        """Refuse classes without training samples in this fold.

        A support vector machine cannot be fitted to such a class, and a network would silently give it no
        probability: its samples would be scored wrong as if the method could not recognise them.

        Args:
            train: Training samples.

        Raises:
            DatasetError: If a class of the label set has none.
        """
        there = {sample.label for sample in train}
        absent = [label for label in self.labels.labels if label not in there]
        if not absent:
            return
        is_folded = self.division.n_folds > 0
        where = f" in fold {self.fold} of {self.division.name}" if is_folded else ""
        other = (
            "take more folds, which leave more to train on (fgbench prepare --set protocol.folds=N), divide "
            "otherwise (--fold-file)"
            if is_folded
            else "add clips of them to the training part"
        )
        more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
        raise DatasetError(
            f"{len(absent)} of {len(self.labels.labels)} classes have no training sample{where}: "
            f"{', '.join(absent[:_SHOWN])}{more}",
            f"{other}, or take them out of the label set",
        )

    def with_seed(self, seed: int) -> Self:
        """Context for another seed."""
        return replace(self, seed=seed)

    def with_fold(self, fold: str) -> Self:
        """Context for a fold.

        Raises:
            ConfigError: If the work folder has no such fold.
        """
        self.division.check_fold(fold)
        return replace(self, fold=fold)

    def each_fold(self, only: str | None = None) -> list[Self]:
        """Contexts for every fold of the work folder, or for one.

        Raises:
            ConfigError: If the work folder has no such fold.
        """
        return [self.with_fold(fold) for fold in ([only] if only is not None else self.division.folds)]

    def trained_folds(self, only: str | None = None) -> list[Self]:
        """Contexts as of :meth:`each_fold` for methods that classify: refused if a fold lacks a class.

        Raises:
            ConfigError: If the work folder has no such fold.
            DatasetError: If a class has no training clip in a fold.
            ManifestError: If the manifests are missing or damaged, or a clip is in no fold.
        """
        contexts = self.each_fold(only)
        clips = clip_samples(self.manifests)
        for context in contexts:
            context.check_trained([clip for clip in context.divide(clips) if clip.part == "train"])
        return contexts
