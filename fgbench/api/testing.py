"""``work.evaluate``: a trained network tested again, on its own data or on others."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fgbench.api.arguments import name_or_none, path_of, paths_of, shown, workers
from fgbench.api.progress import Shown, bars, log, shown_as
from fgbench.api.unit_testing import UnitsEvaluated, units_again, units_elsewhere
from fgbench.errors import ArgumentError
from fgbench.notebook_lines import NotebookLines

if TYPE_CHECKING:
    from fgbench.callbacks import Progress
    from fgbench.inference.clip_test import Weight
    from fgbench.inference.picture_test import Comparison
    from fgbench.methods.protocol import ClipNetwork, ImageNetwork, Opened
    from fgbench.runs.weights import Trained
    from fgbench.training.context import TrainingContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated(NotebookLines):
    """A network of classes that was tested again.

    Attributes:
        folder: Folder of the run that holds the scores.
        comparison: The predictions compared with those of the run; ``None`` on other data, or with another
            weight of the streams.
        samples: ``"images"`` or ``"clips"``.
    """

    folder: Path
    comparison: Comparison | None
    samples: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        from fgbench.reports.run.confusion import confusion_json, write_confusion
        from fgbench.runs.results import read_result

        one = self.comparison
        compared = None if one is None else {**asdict(one), "is_equal": one.is_equal}
        write_confusion(self.folder)
        entries = {"run": str(self.folder), "compared": compared, "confusion": confusion_json(self.folder)}
        return {**read_result(self.folder), **entries}

    def lines(self, *, full: bool = False) -> list[str]:
        """Return lines of text: scores, in full with every class and confusions, and the comparison."""
        from fgbench.api.finished import run_lines
        from fgbench.inference.origin_lines import origin_lines
        from fgbench.runs.results import read_result

        lines = run_lines(self.folder, full=full)
        if self.comparison is None:
            details = read_result(self.folder)["details"]
            return lines + (origin_lines(details) if isinstance(details.get("weights"), dict) else [])
        n, what = self.comparison.n, self.samples
        if self.comparison.is_equal:
            return [*lines, f"the predictions of {n} {what} are equal to those of the run"]
        return [
            *lines,
            f"the predictions of {n} {what} differ from those of the run by up to "
            f"{self.comparison.largest_difference:.1e}; {self.comparison.n_other_class} have another class",
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A test that is to be run.

    Attributes:
        network: The opened network.
        trained: Its weights.
        workdirs: Work folders whose test parts are predicted.
        fusion_weight: Weight of the spatial stream; ``None``: the recipe's.
        device: Name of the device.
    """

    network: Opened
    trained: Trained
    workdirs: tuple[Path, ...]
    fusion_weight: Weight
    device: str | None

    def run(self, *, jobs: int | None = None, progress: Shown = None) -> Evaluated | UnitsEvaluated:
        """Predict and score; arguments and errors as of :meth:`fgbench.Work.evaluate`."""
        n_workers = workers(jobs)
        with bars(shown_as(progress)) as update:
            if self.network.task == "units":
                return self._units(n_workers, update)
            context = self._opened(self.workdirs[0], n_workers, update, self.network.features)
            log(f"{self.trained.name} on {context.details['dataset']} in {context.workdir}, {context.device}")
            if self.network.task == "clips":
                from fgbench.inference.clip_test import evaluate_clips

                clips = cast("ClipNetwork", self.network)
                folder, comparison = evaluate_clips(clips, context, self.fusion_weight)
                return Evaluated(folder=folder, comparison=comparison, samples="clips")
            from fgbench.inference.picture_test import evaluate_images

            folder, comparison = evaluate_images(cast("ImageNetwork", self.network), context)
            return Evaluated(folder=folder, comparison=comparison, samples="images")

    def _opened(
        self, workdir: Path, jobs: int, progress: Progress, stages: Sequence[str] = ()
    ) -> TrainingContext:
        from fgbench.methods.steps.contexts import open_training

        return open_training(
            workdir, self.device, stages=stages, jobs=jobs, resume=False, progress=progress, note=log
        )

    def _units(self, jobs: int, progress: Progress) -> UnitsEvaluated:
        from fgbench.methods.action_units.folders import further_folders

        contexts = [self._opened(workdir, jobs, progress) for workdir in self.workdirs]
        further = further_folders(self.trained, contexts)
        contexts += [self._opened(workdir, jobs, progress) for workdir in further or ()]
        where = " and ".join(f"{one.details['dataset']} in {one.workdir}" for one in contexts)
        log(f"{self.trained.name} on {where}, {contexts[0].device}")
        if further is None:
            return units_elsewhere(self.trained, contexts[0])
        return units_again(self.trained, contexts)


def evaluation(
    run: str | os.PathLike[str],
    workdirs: Sequence[str | os.PathLike[str]] = (),
    *,
    fusion_weight: float | str | None = None,
    device: str | None = None,
) -> Evaluation:
    """Return a test of a trained network, ready to be run.

    Args:
        run: Folder of a run, its weights, or the name of an experiment in the first work folder.
        workdirs: Work folders; none: the one that the run lies in. Several of action units alone.
        fusion_weight: Of networks of clips: weight of the spatial stream, 0 to 1, or ``"tuned"`` (best on
            validation); ``None``: the recipe's.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; ``None``: a GPU if there is one.

    Raises:
        ArgumentError: If the weight is none, or the network has no streams (``fusion_weight``); or it is of
            one work folder (``workdir``).
        ConfigError: If several runs are meant, or there is no such device.
        DependencyError: If torch is not installed.
        ManifestError: If there are no such weights, or they are damaged.
    """
    from fgbench.api.needed_packages import require_torch
    from fgbench.api.weights import named_weights
    from fgbench.workfolders.default_folders import DEMO_WORKDIR

    run = path_of("run", run, example="'msau-small'")
    folders = paths_of("workdirs", workdirs, example="work.path")
    weight = _weight(fusion_weight)
    device = name_or_none("device", device, example="device='cpu'")
    require_torch()
    from fgbench.methods.protocol.kinds import open_trained
    from fgbench.runs.weights import read_trained, work_folder
    from fgbench.training.device import resolve

    trained = read_trained(named_weights(run, folders[0] if folders else DEMO_WORKDIR))
    network = open_trained(trained, resolve(device))
    if weight is not None and network.task != "clips":
        raise ArgumentError(
            f"{trained.name} is no network of clips with two streams", argument="fusion_weight"
        )
    if len(folders) > 1 and network.task != "units":
        raise ArgumentError(
            f"{len(folders)} work folders, expected one: {trained.name} does not detect action units",
            argument="workdir",
        )
    return Evaluation(
        network=network,
        trained=trained,
        workdirs=tuple(folders or [work_folder(trained.path) or DEMO_WORKDIR]),
        fusion_weight=weight,
        device=device,
    )


def _weight(given: float | str | None) -> Weight:
    """Weight of the spatial stream that a user names.

    Raises:
        ArgumentError: If it is none.
    """
    if given is None:
        return None
    if isinstance(given, str) and given == "tuned":
        return "tuned"
    try:
        weight = float(given) if not isinstance(given, bool | bytes) else -1.0
    except (TypeError, ValueError):
        weight = -1.0
    if not 0.0 <= weight <= 1.0:
        raise ArgumentError(
            f"{shown(given)}, expected a number from 0 to 1, or 'tuned'", argument="fusion_weight"
        )
    return weight
