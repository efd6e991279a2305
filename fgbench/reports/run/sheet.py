"""Tables on one run: scores, errors in the class tree, calibration, coverage, confusions.

Reads the predictions of a run; ``clips.parquet`` and ``faces/*.parquet`` of its work folder, if they exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fgbench.evaluation import metrics
from fgbench.evaluation.calibration import (
    N_BINS,
    Bin,
    CalibrationScores,
    calibration_scores,
    confidences_of,
    reliability_bins,
)
from fgbench.evaluation.cluster_counts import Metric
from fgbench.evaluation.clusters import LEAST, MEANING, few_clusters_notes
from fgbench.evaluation.hierarchy import (
    FARTHEST,
    HierarchyScores,
    hierarchy_scores,
    inside_counts,
    upper_counts,
)
from fgbench.reports.accuracies import over_seeds, pooled
from fgbench.reports.chains import chain_notes
from fgbench.reports.comparison.contenders import Contender
from fgbench.reports.freshness import state_notes
from fgbench.reports.protocols import protocol_notes
from fgbench.reports.rendering.table import Cell, Table, data_title
from fgbench.reports.run.own_upper import own_upper, own_upper_counts
from fgbench.reports.vote_entropies import entropy_rows
from fgbench.runs.breakdown import Group, by_agreement, by_confidence, read_judgements
from fgbench.runs.coverage import coverage, missing_reasons
from fgbench.runs.ledger.counts import reading_notes
from fgbench.runs.predictions import Predictions
from fgbench.taxonomy import basics
from fgbench.workfolders.layout import MANIFESTS

_NO_PREDICTION = "no prediction"
_SCORES: dict[Metric, str] = {"uar": "UAR", "war": "WAR", "macro_f1": "macro F1"}


def sheet_tables(one: Contender) -> list[Table]:
    """All tables of a run, folds joined.

    Args:
        one: The run.

    Raises:
        ManifestError: If the manifests of its work folder are damaged.
    """
    together = pooled(one.seeds)
    tables = [_measures(one), _classes(one), _reliability(one, together), *_annotators(one, together)]
    confusion = together.confusion()
    upper = upper_counts(confusion, one.classes)
    if upper is not None:
        tables.append(_shares(one, "upper", "confusion of upper classes", basics(), [*basics()], upper))
        for name in basics():
            leaves, counts = inside_counts(confusion, one.classes, name)
            if not leaves:  # a part of the 33 classes may have none of it
                continue
            title = f"confusion among classes of {name}"
            tables.append(_shares(one, name, title, leaves, [*leaves, "elsewhere"], counts))
    if above := own_upper(one.workdir, one.classes):
        names, counts = own_upper_counts(confusion, one.classes, above)
        tables.append(_shares(one, "upper", "confusion of upper classes", names, names, counts))
    tables.append(_matrix(one, confusion))
    return tables


def reliability_of(together: Predictions) -> list[Bin]:
    """Bins of the reliability diagram of predictions."""
    truth, predicted = together.numbers()
    return reliability_bins(*confidences_of(truth, predicted, together.probabilities))


def name_of(one: Contender, part: str = "") -> str:
    """File name, without suffix, of the sheet of a run, or of a part of it."""
    return "-".join(["run", *one.name.split("/"), *([part] if part else [])])


def title_of(one: Contender, text: str) -> str:
    """Title of a part of the sheet of a run."""
    return data_title(
        f"{one.titled}, {text}", str(one.details["dataset"]), synthetic=one.details["synthetic"]
    )


def _measures(one: Contender) -> Table:
    rows: list[list[Cell]] = []
    for metric, name in _SCORES.items():
        interval = one.interval(metric)
        ends: list[Cell] = [None, None] if interval is None else [interval.low, interval.high]
        rows.append([name, one.score(metric), *ends])
    trees = [hierarchy_scores(predictions.confusion(), one.classes) for predictions in one.seeds]
    calibrations = [
        calibration_scores(*predictions.numbers(), predictions.probabilities) for predictions in one.seeds
    ]
    if any(tree is not None for tree in trees):  # the classes are leaves of the class tree
        rows += [[name, _over(trees, measure), None, None] for name, measure in _TREE.items()]
    if above := own_upper(one.workdir, one.classes):
        grouped = [own_upper_counts(seed.confusion(), one.classes, above) for seed in one.seeds]
        merged = [metrics.scores(counts, names) for names, counts in grouped]
        rows.append(["UAR of upper classes", _over(merged, lambda scores: scores.uar), None, None])
        rows.append(["WAR of upper classes", _over(merged, lambda scores: scores.war), None, None])
    rows += [[name, _over(calibrations, measure), None, None] for name, measure in _CALIBRATION.items()]
    entropies, entropy_notes = entropy_rows(one)
    rows += entropies
    covered = [coverage(predictions) for predictions in one.seeds]
    rows += [
        ["coverage (samples with a prediction)", _over(covered, lambda one: one.share), None, None],
        ["UAR, detected subset", _over(covered, lambda one: one.uar_detected), None, None],
        ["WAR, detected subset", _over(covered, lambda one: one.war_detected), None, None],
    ]
    return Table(
        name=name_of(one, "measures"),
        title=title_of(one, "test"),
        columns=["Measure", "Value", "95 % from", "95 % to"],
        rows=rows,
        notes=[
            *state_notes([(one.name, one.state)]),
            *_run_notes(one),
            *_measure_notes(one),
            *entropy_notes,
            *_reasons(one),
            *one.fairness_notes,
            *reading_notes(one.workdir),
        ],
    )


_TREE: dict[str, Callable[[HierarchyScores], float | None]] = {
    "UAR of upper classes": lambda tree: tree.upper_uar,
    "WAR of upper classes": lambda tree: tree.upper_war,
    "right valence": lambda tree: tree.valence_war,
    "errors inside the upper class": lambda tree: tree.inside_upper,
    "errors inside the valence": lambda tree: tree.inside_valence,
    "mean tree distance": lambda tree: tree.mean_distance,
    "mean tree distance of errors": lambda tree: tree.mean_distance_wrong,
}

_CALIBRATION: dict[str, Callable[[CalibrationScores], float | None]] = {
    "calibration error (ECE)": lambda scores: scores.ece,
    "calibration error, adaptive bins": lambda scores: scores.ece_adaptive,
    "Brier score": lambda scores: scores.brier,
    "mean confidence": lambda scores: scores.confidence,
}


def _over(entries: Sequence[Any], measure: Callable[[Any], float | None]) -> Cell:
    """A measure over the seeds; ``None`` if it is undefined for one."""
    return over_seeds([None if entry is None else measure(entry) for entry in entries])


def _run_notes(one: Contender) -> list[str]:
    first = one.seeds[0]
    n_clusters = len(set(first.clusters()))
    folders = ", ".join("/".join(folder.parts[-4:]) for folder in one.folders)
    scores = metrics.scores(first.confusion(), one.classes)
    notes = [
        f"From {folders}. {scores.n:,} test samples of {scores.n_classes} classes, without augmented copies; "
        f"chance is {1 / scores.n_classes:.3f}.",
        f"Intervals: Student's t, from leaving out {one.clusters} one at a time. {MEANING}"
        if n_clusters >= LEAST
        else f"No intervals: {one.clusters}, they need at least five.",
    ]
    if len(one.seeds) > 1:
        notes.append(
            f"Mean ± standard deviation over {len(one.seeds)} seeds; intervals of other clusters and other "
            "seeds."
        )
        notes += chain_notes([one.experiment], [one.name])
    elif n_clusters >= LEAST:
        notes.append("Intervals hold the trained network fixed: other seeds are not taken into account.")
    few = few_clusters_notes(n_clusters) if n_clusters >= LEAST else []
    return [*notes, *few, *protocol_notes(one.details)]


def _measure_notes(one: Contender) -> list[str]:
    notes = []
    if hierarchy_scores(one.seeds[0].confusion(), one.classes) is not None:
        notes.append(
            "Tree distance: edges between predicted and true leaf, 0 the same, 2 the same upper class, 4 the "
            f"same valence, {FARTHEST} otherwise or without prediction."
        )
    return [
        *notes,
        f"Calibration, of samples with a prediction: {N_BINS} bins of equal width, or of equally many "
        "samples (adaptive); confidence is the probability of the class predicted. Brier score: 0 to 2.",
        "Detected subset: samples with a prediction alone. It leaves out what is hardest and compares with "
        "no other number here.",
    ]


def _reasons(one: Contender) -> list[str]:
    """Sentence on the reasons why samples have no prediction."""
    lost = missing_reasons(one.seeds[0], one.workdir / MANIFESTS)
    if not lost:
        return []
    counts = ", ".join(f"{reason} {count}" for reason, count in sorted(lost.items()))
    return [f"Without prediction, counted as wrong: {counts}."]


def _classes(one: Contender) -> Table:
    scores = [metrics.scores(predictions.confusion(), one.classes) for predictions in one.seeds]
    rows: list[list[Cell]] = []
    for index, label in enumerate(one.classes):
        entries = [of_seed.classes[index] for of_seed in scores]
        rows.append(
            [
                label,
                entries[0].n,
                _over(entries, lambda entry: entry.recall),
                _over(entries, lambda entry: entry.precision),
                _over(entries, lambda entry: entry.f1),
            ]
        )
    return Table(
        name=name_of(one, "classes"),
        title=title_of(one, "scores per class, test"),
        columns=["Class", "Samples", "Recall", "Precision", "F1"],
        rows=rows,
        notes=["Blank: no samples (recall), no predictions (precision), neither (F1)."],
    )


def _reliability(one: Contender, together: Predictions) -> Table:
    rows: list[list[Cell]] = [
        [entry.low, entry.high, entry.n, entry.confidence, entry.accuracy]
        for entry in reliability_of(together)
    ]
    return Table(
        name=name_of(one, "reliability"),
        title=title_of(one, "confidence and accuracy, test"),
        columns=["Above", "Up to", "Samples", "Mean confidence", "Accuracy"],
        rows=rows,
        notes=[
            "Samples with a prediction by the probability of the class predicted"
            + (f"; {len(one.seeds)} seeds together." if len(one.seeds) > 1 else ".")
        ],
    )


def _annotators(one: Contender, together: Predictions) -> list[Table]:
    """Accuracy by the annotators' agreement and confidence, where known."""
    manifests = one.workdir / MANIFESTS
    if not (manifests / "clips.parquet").is_file():
        return []
    tables = []
    agreement = read_judgements(manifests, "agreement")
    if any(agreement.get(clip) is not None for clip in together.clip_ids):
        groups = by_agreement(together, agreement)
        tables.append(_groups(one, "agreement", "Votes for the label", groups))
    confidence = read_judgements(manifests, "confidence")
    if any(confidence.get(clip) is not None for clip in together.clip_ids):
        groups = by_confidence(together, confidence)
        tables.append(_groups(one, "confidence", "Annotators' confidence", groups))
    return tables


def _groups(one: Contender, part: str, head: str, groups: Sequence[Group]) -> Table:
    rows: list[list[Cell]] = [[group.name, group.n_clips, group.n, group.uar, group.war] for group in groups]
    return Table(
        name=name_of(one, part),
        title=title_of(one, f"accuracy by annotators' {part}, test"),
        columns=[head, "Clips", "Samples", "UAR", "WAR"],
        rows=rows,
        notes=[
            "UAR is over the classes of each row, which are not the same classes in all"
            + (f"; {len(one.seeds)} seeds together." if len(one.seeds) > 1 else ".")
        ],
    )


def _shares(
    one: Contender,
    part: str,
    title: str,
    true: Sequence[str],
    predicted: Sequence[str],
    counts: metrics.Counts,
) -> Table:
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    rows: list[list[Cell]] = [
        [label, int(n), *(None if np.isnan(share) else float(share) for share in row)]
        for label, n, row in zip(true, total[:, 0] // len(one.seeds), shares, strict=True)
    ]
    return Table(
        name=name_of(one, f"confusion-{part}"),
        title=title_of(one, f"{title}, test"),
        columns=["True class", "Samples", *predicted, _NO_PREDICTION],
        rows=rows,
        notes=["Rows are true classes, columns predicted ones, as shares; each row adds up to 1."],
    )


def _matrix(one: Contender, confusion: metrics.Counts) -> Table:
    rows: list[list[Cell]] = [
        [label, *row] for label, row in zip(one.classes, confusion.tolist(), strict=True)
    ]
    return Table(
        name=name_of(one, "confusion"),
        title=title_of(one, "confusion of all classes, test"),
        columns=["True class", *one.classes, _NO_PREDICTION],
        rows=rows,
        notes=["Numbers of samples" + (f", {len(one.seeds)} seeds together." if len(one.seeds) > 1 else ".")],
        keys=1,
        blocks=_blocks(len(one.classes) + 1),
    )


def _blocks(n_columns: int, width: int = 12) -> tuple[int, ...]:
    whole, rest = divmod(n_columns, width)
    return (width,) * whole + ((rest,) if rest else ())
