"""Accuracies of the single streams of clip runs, and of both with any weight.

Reads ``streams.parquet`` and the predictions of runs, and the clips of the manifests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fgbench.errors import ConfigError, ManifestError
from fgbench.evaluation import fusion
from fgbench.reports.accuracies import Accuracies, accuracies, pooled
from fgbench.reports.experiment import Experiment, Run
from fgbench.reports.freshness import read_present
from fgbench.reports.rendering.render import text
from fgbench.runs.predictions import Predictions
from fgbench.runs.results import SINGLE_FOLD
from fgbench.runs.samples import moving_samples
from fgbench.runs.streams import SPATIAL, STREAMS, TEMPORAL, read_streams
from fgbench.workfolders.layout import MANIFESTS

_NEAR = 1e-3  # tolerance of fused float32 probabilities against the predicted ones; ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Fusible:
    """Both streams of a run, on all clips of one part.

    Attributes:
        truth: The clips with their true classes; predictions are made by fusing the streams.
        spatial: (N, C) float32, NaN rows without prediction.
        temporal: (N, C) float32, likewise.
        all_count: Whether these are all clips of the part, rather than those with predictions alone.
    """

    truth: Predictions
    spatial: fusion.Probabilities
    temporal: fusion.Probabilities
    all_count: bool = True

    def fused(self, weight: float) -> Predictions:
        """Predictions with a weight of the spatial stream, 0 to 1."""
        probabilities = fusion.fuse(self.spatial, self.temporal, weight)
        classes = self.truth.classes
        indices = fusion.most_probable(probabilities)
        return replace(
            self.truth,
            predicted=[None if index < 0 else classes[index] for index in indices.tolist()],
            probabilities=probabilities,
        )

    def sweep(self, part: str) -> fusion.Sweep:
        """Accuracy for each weight."""
        number = {label: index for index, label in enumerate(self.truth.classes)}
        return fusion.sweep(
            self.spatial,
            self.temporal,
            truth=np.array([number[label] for label in self.truth.labels], np.int64),
            sample_ids=self.truth.sample_ids,
            part=part,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """Sweep of an experiment over its validation clips, and the weight chosen there.

    Attributes:
        points: Per weight: the weight, accuracies on validation, and the accuracy of each seed.
        best: Weight with the highest mean accuracy; ``None`` if none can be chosen.
        n_samples: Number of validation clips of one seed.
        notes: Sentences on clips that could not be counted, or why no weight is chosen.
    """

    points: Sequence[tuple[float, Accuracies, Sequence[float | None]]]
    best: float | None
    n_samples: int
    notes: Sequence[str]


def has_both_streams(experiment: Experiment) -> bool:
    """Whether an experiment is complete and each of its runs kept two streams."""
    return experiment.is_whole and all(
        run.result["details"].get("kind") == "video"
        and set(run.result["details"].get("streams", ())) == {SPATIAL, TEMPORAL}
        and (run.folder / STREAMS).is_file()
        for run in experiment.runs
    )


def fusion_weight(experiment: Experiment) -> float | None:
    """Weight of the spatial stream that the runs were predicted with; ``None`` if they differ.

    Raises:
        ManifestError: If a run with two streams does not state it.
    """
    weights = set()
    for run in experiment.runs:
        weight = run.result["details"].get("fusion_weight")
        if not isinstance(weight, int | float) or not 0 <= weight <= 1:
            raise ManifestError(
                f"{run.folder} has fusion_weight = {weight!r}, expected 0 to 1",
                "run the experiment again with --force",
            )
        weights.add(float(weight))
    return weights.pop() if len(weights) == 1 else None


def streams_of_test(run: Run) -> Fusible:
    """Both streams of a run on all its test clips.

    Raises:
        ManifestError: If they are missing or damaged, or not those behind the predictions.
    """
    predictions = run.predictions()
    streams = read_streams(run.folder)
    again = "run the experiment again with --force"
    if set(streams) != {SPATIAL, TEMPORAL}:
        raise ManifestError(
            f"{run.folder / STREAMS} has the streams {', '.join(streams)}, expected two", again
        )
    labels = dict(zip(predictions.sample_ids, predictions.labels, strict=True))
    for scores in streams.values():
        stream_labels = {
            sample: label
            for sample, part, label in zip(scores.sample_ids, scores.parts, scores.labels, strict=True)
            if part == "test"
        }
        if scores.classes != predictions.classes or not stream_labels.items() <= labels.items():
            raise ManifestError(
                f"{run.folder / STREAMS} has other test clips or classes than the predictions", again
            )
    fusible = Fusible(
        truth=predictions,
        spatial=streams[SPATIAL].of(predictions.sample_ids),
        temporal=streams[TEMPORAL].of(predictions.sample_ids),
    )
    weight = run.result["details"]["fusion_weight"]
    away = np.abs(fusion.fuse(fusible.spatial, fusible.temporal, weight) - predictions.probabilities)
    if (away > _NEAR).any():  # False where either has no prediction
        raise ManifestError(
            f"{run.folder / STREAMS} does not give the predictions with weight {weight}", again
        )
    return fusible


def fused_accuracies(experiment: Experiment, weight: float) -> Accuracies:
    """Accuracies on all test clips with a weight of the spatial stream: 1 for it alone, 0 for the other.

    Args:
        experiment: Experiment that :func:`has_both_streams` accepts.
        weight: 0 to 1.

    Raises:
        ManifestError: If a run is damaged.
    """
    return accuracies(
        [
            pooled([streams_of_test(run).fused(weight) for run in experiment.of_seed(seed)])
            for seed in experiment.seeds
        ]
    )


def validate(workdir: Path, experiment: Experiment) -> Validated:
    """Sweep over the weight on validation clips; test clips are not used.

    Args:
        workdir: Work folder.
        experiment: Experiment that :func:`has_both_streams` accepts.

    Raises:
        ManifestError: If a run is damaged.
    """
    seeds = [[_validation(workdir, run) for run in experiment.of_seed(seed)] for seed in experiment.seeds]
    sweeps = [fusion.joined([fold.sweep("val") for fold in folds]) for folds in seeds]
    n_samples = sum(len(fold.truth.sample_ids) for fold in seeds[0])
    if not n_samples:
        return Validated(
            points=[], best=None, n_samples=0, notes=["no weight is chosen for want of validation clips"]
        )
    notes = []
    if not all(fold.all_count for folds in seeds for fold in folds):
        notes.append(
            "validation clips without a prediction are not counted, since the manifests that are there do "
            "not tell which they are"
        )
    points = []
    for index, weight in enumerate(sweeps[0].weights):
        fused = [pooled([fold.fused(weight) for fold in folds]) for folds in seeds]
        points.append((weight, accuracies(fused), [one.uars[index] for one in sweeps]))
    test = [name for run in experiment.runs for name in run.predictions().sample_ids]
    try:
        best = fusion.best_weight(sweeps, test=test)
    except ConfigError:
        best = None
        notes.append("no weight is chosen, since validation clips of one fold are test clips of another")
    return Validated(points=points, best=best, n_samples=n_samples, notes=notes)


def weight_note(workdir: Path, name: str, experiment: Experiment) -> str:
    """Sentence on the weight that an experiment is reported with, and the one chosen on validation.

    Args:
        workdir: Work folder.
        name: Name of the experiment in the table.
        experiment: Experiment that :func:`has_both_streams` accepts.

    Raises:
        ManifestError: If a run is damaged.
    """
    weight = fusion_weight(experiment)
    if weight == fusion.PAPER_WEIGHT:
        sentence = f"reported at weight {weight:g} of the spatial stream, as in the paper"
    else:
        shown = "different weights" if weight is None else f"weight {weight:g}"
        paper = scored(fused_accuracies(experiment, fusion.PAPER_WEIGHT))
        at = f"reported at {shown} of the spatial stream"
        sentence = f"{at}; the paper's {fusion.PAPER_WEIGHT:g} gives {paper}"
    validated = validate(workdir, experiment)
    parts = [f"{name}: {sentence}", *validated.notes]
    if validated.best is not None:
        parts.insert(
            1,
            f"the weight tuned on validation ({validated.n_samples:,} clips, none of test) is "
            f"{validated.best:g} and gives {scored(fused_accuracies(experiment, validated.best))}",
        )
    return "; ".join(parts) + "."


def scored(measured: Accuracies) -> str:
    """Mean accuracy on test with its interval, in words."""
    interval = measured.interval
    span = "" if interval is None else f" (95 % {interval.low:.3f} to {interval.high:.3f})"
    return f"{text(measured.mean)} on test{span}"


def _validation(workdir: Path, run: Run) -> Fusible:
    """Both streams of a run on its validation clips: all of them if the manifests are those of the run."""
    streams = read_streams(run.folder)
    truth: dict[str, tuple[str, str | None]] = {}
    sources: dict[str, str | None] = {}
    for scores in streams.values():
        for sample, part, label, subject in zip(
            scores.sample_ids, scores.parts, scores.labels, scores.subject_ids, strict=True
        ):
            if part == "val":
                truth[sample] = (label, subject)
    present = read_present(workdir)
    same = present is not None and present.digest_state(run.result) == "now"
    all_count = same and run.fold == SINGLE_FOLD
    if all_count:
        listed = {s.sample_id: s for s in moving_samples(workdir / MANIFESTS) if s.part == "val"}
        if lost := sorted(set(truth) - set(listed)):
            raise ManifestError(
                f"{run.folder / STREAMS} has {len(lost)} validation clips that the manifests do not have, "
                f"e.g. {lost[0]!r}",
                "run the experiment again with --force",
            )
        truth = {name: (sample.label, sample.subject_id) for name, sample in listed.items()}
        sources = {name: sample.source_id for name, sample in listed.items()}
    names = sorted(truth)
    classes = next(iter(streams.values())).classes
    empty = np.full((len(names), len(classes)), np.nan, np.float32)
    return Fusible(
        truth=Predictions(
            classes=classes,
            sample_ids=names,
            clip_ids=names,
            subject_ids=[truth[name][1] for name in names],
            source_ids=[sources.get(name) for name in names],
            labels=[truth[name][0] for name in names],
            predicted=[None] * len(names),
            probabilities=empty,
        ),
        spatial=streams[SPATIAL].of(names) if SPATIAL in streams else empty,
        temporal=streams[TEMPORAL].of(names) if TEMPORAL in streams else empty,
        all_count=all_count,
    )
