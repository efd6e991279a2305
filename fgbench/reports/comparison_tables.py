"""A comparison of runs as tables, and as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fgbench.evaluation.paired import McNemar, Permutation
from fgbench.reports.comparison import METRICS, Comparison, Pair, chance
from fgbench.reports.contenders import Contender
from fgbench.reports.model import Cell, PValue, Spread, Table, data_title
from fgbench.reports.protocols import fairness_notes

_NAMES = {"uar": "UAR", "war": "WAR", "macro_f1": "Macro F1"}
_ALPHA = 0.05
_FEW = 10  # clusters below which an interval is a rough guide only; ours


def comparison_tables(found: Comparison) -> list[Table]:
    """The runs, the differences to the first, and for every other run the differences of the classes."""
    return [_runs(found), _differences(found), *(_classes(found, pair) for pair in found.pairs)]


def comparison_json(found: Comparison) -> dict[str, Any]:
    """All numbers as plain values; what is not defined is ``None``."""
    return {
        "n_samples": found.n_samples,
        "clusters": found.clusters,
        "first": found.contenders[0].name,
        "runs": [
            {
                "name": one.name,
                "folders": [str(folder) for folder in one.folders],
                "n_tested": n_tested,
                "seeds": one.experiment.seeds,
                **{metric: _score_json(one, metric) for metric in METRICS},
            }
            for one, n_tested in zip(found.contenders, found.n_tested, strict=True)
        ],
        "differences": [asdict(pair) for pair in found.pairs],
    }


def _score_json(one: Contender, metric: Any) -> dict[str, Any]:
    interval, score = one.interval(metric), one.score(metric)
    return {
        "estimate": score.mean if isinstance(score, Spread) else score,
        "sd_over_seeds": score.sd if isinstance(score, Spread) else None,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
    }


def scores_with_intervals(one: Contender) -> list[Cell]:
    """UAR, WAR and macro F1, each with the ends of its 95 % interval."""
    cells: list[Cell] = []
    for metric in METRICS:
        interval = one.interval(metric)
        ends: list[Cell] = [None, None] if interval is None else [interval.low, interval.high]
        cells += [one.score(metric), *ends]
    return cells


SCORE_COLUMNS = tuple(
    column
    for metric in METRICS
    for column in (_NAMES[metric], f"{_NAMES[metric]} from", f"{_NAMES[metric]} to")
)
"""Heads of the columns of :func:`scores_with_intervals`."""


def interval_notes(contenders: list[Contender], clusters: str) -> list[str]:
    """Sentences on what the intervals are."""
    counts = sorted({len(one.counts(by_clip=clusters == "clips").names) for one in contenders})
    told = " or ".join(map(str, counts))
    notes = [
        f"From, to: 95 % intervals from drawing {told} {clusters} anew 10,000 times; several seeds: mean ± "
        "standard deviation over seeds, folds pooled, the interval over all seeds."
    ]
    if counts[0] < _FEW:
        notes.append(f"Intervals of {counts[0]} {clusters} are a rough guide: they tend to be too narrow.")
    return notes


def _title(found: Comparison, text: str) -> str:
    details = found.contenders[0].details
    synthetic = any(one.details["synthetic"] for one in found.contenders)
    return data_title(text, str(details["dataset"]), synthetic=synthetic)


def _runs(found: Comparison) -> Table:
    rows: list[list[Cell]] = [
        [one.name, len(one.seeds), *scores_with_intervals(one)] for one in found.contenders
    ]
    return Table(
        name="compare",
        title=_title(found, "Runs compared"),
        columns=["Run", "Seeds", *SCORE_COLUMNS],
        rows=rows,
        notes=[*_shared_notes(found), *interval_notes(list(found.contenders), found.clusters)],
        keys=1,
    )


def _shared_notes(found: Comparison) -> list[str]:
    unit = "clips" if found.contenders[0].source == "video" else "images"
    notes = [
        f"On the {found.n_samples:,} test {unit} that all runs share, without augmented copies; one without "
        f"a usable face counts as wrong. Chance is {chance(found.contenders[0]):.3f}."
    ]
    if set(found.n_tested) != {found.n_samples}:
        tested = ", ".join(
            f"{one.name} {n:,}" for one, n in zip(found.contenders, found.n_tested, strict=True)
        )
        notes.append(f"The runs were tested on different {unit} ({tested}); the others are left out here.")
    digests = {str(run.result["manifest_digest"]) for one in found.contenders for run in one.experiment.runs}
    if len(digests) > 1:
        notes.append("The runs were made on different versions of the manifests.")
    return [*notes, *fairness_notes([(one.name, one.details) for one in found.contenders])]


def _differences(found: Comparison) -> Table:
    rows: list[list[Cell]] = []
    for pair in found.pairs:
        row: list[Cell] = [pair.name]
        for metric in METRICS:
            difference = pair.differences.get(metric)
            if difference is None:
                row += [None, None, None]
            else:
                row += [difference.estimate, difference.low, difference.high]
        rows.append(
            [*row, PValue(pair.permutation.p), PValue(pair.p_corrected), *_mcnemar_cells(pair.mcnemar)]
        )
    first = found.contenders[0].name
    return Table(
        name="compare-differences",
        title=_title(found, f"Differences to {first}"),
        columns=[
            "Run",
            *SCORE_COLUMNS,
            "p (UAR)",
            "p (Holm)",
            "Only it right",
            "Only first right",
            "p (McNemar)",
            "p (mid)",
        ],
        rows=rows,
        notes=[
            f"The run minus {first}. From, to: 95 % intervals, the same {found.clusters} drawn of both runs.",
            *[_permutation_note(found, pair) for pair in found.pairs],
            f"p (Holm): corrected for {len(found.pairs)} runs compared with the first."
            if len(found.pairs) > 1
            else "p (Holm): as p (UAR), since one run alone is compared with the first.",
            _mcnemar_note(found),
        ],
        keys=1,
        blocks=(9, 6),
    )


def _permutation_note(found: Comparison, pair: Pair) -> str:
    return (
        f"p (UAR), {pair.name}: permutation test, the predictions of whole {found.clusters} swapped between "
        f"the runs; {_ways(pair.permutation)}."
    )


def _ways(test: Permutation) -> str:
    if test.is_exact:
        return (
            f"all {test.n_permutations:,} ways for the {test.n_clusters} that differ, so that p is at least "
            f"{min(1.0, 2 / test.n_permutations):.2g}"
        )
    return f"{test.n_permutations:,} ways drawn, {test.n_clusters} differ"


def _mcnemar_cells(test: McNemar | None) -> list[Cell]:
    return (
        [None] * 4
        if test is None
        else [test.only_first, test.only_second, PValue(test.p_exact), PValue(test.p_mid)]
    )


def _p_value(p: float | None) -> PValue | None:
    return None if p is None else PValue(p)


def _mcnemar_note(found: Comparison) -> str:
    note = (
        "McNemar's test (exact binomial, and mid-p) takes every sample for independent. Samples of one "
        "person are alike, so that its p is too small; p (UAR) is the one to go by."
    )
    if any(pair.mcnemar is None for pair in found.pairs):
        note += " Blank where a run has several seeds: name one, e.g. experiment/fold/seed."
    return note


def _classes(found: Comparison, pair: Pair) -> Table:
    first = found.contenders[0].name
    rows: list[list[Cell]] = [
        [
            entry.label,
            entry.n,
            entry.first,
            entry.other,
            entry.difference,
            _p_value(entry.p),
            _p_value(entry.p_corrected),
        ]
        for entry in pair.classes
    ]
    known = [entry.p_corrected for entry in pair.classes if entry.p_corrected is not None]
    clear = [
        entry.label for entry in pair.classes if entry.p_corrected is not None and entry.p_corrected <= _ALPHA
    ]
    told = f"{len(clear)} of {len(known)} classes differ at the level of {_ALPHA:g} after correction"
    return Table(
        name=f"compare-classes-{pair.name.replace('/', '-')}",
        title=_title(found, f"Accuracy per class, {pair.name} against {first}"),
        columns=["Class", "Samples", first, pair.name, "Difference", "p", "p (Holm)"],
        rows=rows,
        notes=[
            told + (f": {', '.join(clear)}." if clear else "."),
            f"p: permutation test of the class, whole {found.clusters} swapped; with few {found.clusters} of "
            "a class it cannot become small, whatever the difference.",
            f"p (Holm): corrected for {len(known)} classes.",
        ],
        keys=1,
    )
