"""Curves of accuracy against a varied setting (Figure 7), from the runs of a work folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fgbench.errors import ManifestError
from fgbench.evaluation.cluster_counts import ClusterCounts
from fgbench.evaluation.paired import method_test
from fgbench.evaluation.significance import Interval
from fgbench.reports.accuracies import measure
from fgbench.reports.experiment import Experiment
from fgbench.reports.paper.fusions import has_both_streams, validate
from fgbench.reports.paper.methods import PROGRESSIVE, TMSAU
from fgbench.reports.paper.numbers import figure7_peaks
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell, OfPaper, PValue, centre
from fgbench.runs.streams import STREAMS

REGIONS = "number of regions"
WEIGHT = "weight of the spatial stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of a curve.

    Attributes:
        value: Value of the setting, on the axis.
        mean: Mean accuracy, or mean and standard deviation over seeds.
        interval: Its 95 % interval.
        seeds: Accuracy of each seed; ``None`` if undefined.
        counts: Samples per cluster and class, of each seed.
        samples: The samples, each with its class.
    """

    value: float
    mean: Cell
    interval: Interval | None
    seeds: Sequence[float | None] = ()
    counts: tuple[ClusterCounts, ...] = ()
    samples: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel of the figure.

    Attributes:
        varied: Name of the varied setting.
        samples: Samples that the accuracies are of, e.g. ``"test images"``.
        curves: Recipe to points from left to right.
        peak: Value with the highest accuracy in the paper.
        chosen: Recipe to the value that would be taken, where one is chosen.
        notes: Sentences on the curves.
    """

    varied: str
    samples: str
    curves: Mapping[str, Sequence[Point]]
    peak: float
    chosen: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()


def regions_panel(experiments: Sequence[Experiment]) -> Panel:
    """The left panel: one experiment per recipe and number of regions.

    Args:
        experiments: Experiments of the progressive variant.

    Raises:
        ManifestError: If a run is damaged or does not state its number of regions.
    """
    curves: dict[str, list[Point]] = {}
    for experiment in sorted(experiments, key=_regions):
        measured = measure(experiment)
        point = Point(
            value=_regions(experiment),
            mean=measured.mean,
            interval=measured.interval,
            counts=measured.counts,
            samples=measured.samples,
        )
        curves.setdefault(str(experiment.details.get("recipe", experiment.name)), []).append(point)
    return Panel(
        varied=REGIONS,
        samples="test images",
        curves=dict(sorted(curves.items())),
        peak=figure7_peaks()[REGIONS],
    )


def weight_panel(workdir: Path, experiments: Sequence[Experiment]) -> Panel | None:
    """The right panel: accuracy on validation clips against the weight of the spatial stream.

    Args:
        workdir: Work folder.
        experiments: Experiments of TMSAU-Net.

    Returns:
        The panel; ``None`` if no experiment kept its streams with validation clips.

    Raises:
        ManifestError: If a run is damaged.
    """
    curves, chosen, notes = {}, {}, []
    for experiment in experiments:
        if not has_both_streams(experiment):
            if experiment.is_whole:
                notes.append(
                    f"{experiment.name}: no curve, since a run has no {STREAMS}; run it again with --force "
                    "(in Python: force=True)."
                )
            continue
        validated = validate(workdir, experiment)
        if validated.notes:
            notes.append(f"{experiment.name}: {'; '.join(validated.notes)}.")
        if not validated.points:
            continue
        curves[experiment.name] = [
            Point(
                value=weight,
                mean=ours.mean,
                interval=ours.interval,
                seeds=seeds,
                counts=ours.counts,
                samples=ours.samples,
            )
            for weight, ours, seeds in validated.points
        ]
        if validated.best is not None:
            chosen[experiment.name] = validated.best
            notes.append(
                f"{experiment.name}: weight chosen on {validated.n_samples:,} validation clips "
                f"{validated.best:g} (of equals that nearest to 0.5); the paper's best is about "
                f"{figure7_peaks()[WEIGHT]:g}."
            )
    if not curves:
        return None
    return Panel(
        varied=WEIGHT,
        samples="validation clips",
        curves=curves,
        peak=figure7_peaks()[WEIGHT],
        chosen=chosen,
        notes=notes,
    )


def peak_notes(panel: Panel) -> list[str]:
    """Sentences on the peak of each curve, and whether it is that of the paper's."""
    notes: list[str] = []
    for recipe, points in panel.curves.items():
        defined = [(mean, point) for point in points if (mean := centre(point.mean)) is not None]
        if len(defined) < 2:
            continue
        highest, best = max(defined, key=lambda pair: pair[0])
        lowest = min(defined, key=lambda pair: pair[0])
        same = "where the paper's is" if best.value == panel.peak else f"the paper's at {panel.peak:g}"
        notes.append(
            OfPaper(
                f"{recipe}: highest at {best.value:g} ({highest:.3f}), {same}; lowest at {lowest[1].value:g} "
                f"({lowest[0]:.3f}){_tested(best, lowest[1], len(defined))}."
            )
        )
    return notes


def missing_note(varied: str) -> str:
    """Advice for a panel that has no runs."""
    if varied == REGIONS:
        return f"Left panel ({REGIONS}): no finished run; {PROGRESSIVE.command}"
    return f"Right panel ({WEIGHT}): no complete run with {STREAMS} and validation clips; {TMSAU.command}"


def _regions(experiment: Experiment) -> int:
    regions = experiment.details.get("regions")
    if not isinstance(regions, int):
        raise ManifestError(
            f"runs of {experiment.name} have regions = {regions!r}, expected their number",
            f"run {PROGRESSIVE.command} --force",
        )
    return regions


def _tested(best: Point, worst: Point, n_points: int) -> str:
    """p-value of the difference, corrected for the pairs of points that it was chosen from (Bonferroni)."""
    if not best.counts or best.samples != worst.samples or best.counts[0].names != worst.counts[0].names:
        return "; no test: other samples"
    n_pairs = n_points * (n_points - 1) // 2
    p = min(1.0, n_pairs * method_test(best.counts, worst.counts).p)
    return f"; paired test over whole clusters, corrected for {n_pairs} pairs: p {text(PValue(p))}"
