"""A comparison of runs as tables, and as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from fgbench.evaluation import clusters
from fgbench.evaluation.paired import McNemar
from fgbench.evaluation.permutation import Permutation
from fgbench.reports.chains import chain_notes
from fgbench.reports.comparison.compared import METRICS, Comparison, Pair, chance
from fgbench.reports.comparison.contenders import Contender
from fgbench.reports.experiments import warnings_of
from fgbench.reports.freshness import state_notes
from fgbench.reports.own_networks import own_network_notes
from fgbench.reports.protocols import knowledge_notes
from fgbench.reports.rendering.table import Cell, PValue, Spread, Table, centre, data_title
from fgbench.reports.vote_entropies import CROSS, RunEntropy, entropy_note, run_entropies
from fgbench.runs.ledger.counts import reading_notes

_NAMES = {"uar": "UAR", "war": "WAR", "macro_f1": "Macro F1"}
_ALPHA = 0.05


def comparison_tables(compared: Comparison) -> list[Table]:
    """Tables of the runs, their differences to the first, and per other run those of the classes."""
    warnings = [note for one in compared.contenders for note in warnings_of(one.experiment, one.name)]
    pairs = zip(compared.pairs, compared.contenders[1:], strict=True)
    others = [_differences(compared), *(_classes(compared, pair, one) for pair, one in pairs)]
    warned = [replace(table, notes=[*table.notes, *dict.fromkeys(warnings)]) for table in others]
    return [_runs(compared), *warned]


def comparison_json(compared: Comparison) -> dict[str, Any]:
    """All numbers as plain values; undefined ones are ``None``."""
    found: Sequence[RunEntropy | None] | None = run_entropies(compared.contenders)
    entropies = found or [None] * len(compared.contenders)
    return {
        "n_samples": compared.n_samples,
        "clusters": compared.clusters,
        "notes": [
            *_seed_notes(compared),
            *own_network_notes((one.name, one.details) for one in compared.contenders),
            _mcnemar_note(compared),
            *state_notes((one.name, one.state) for one in compared.contenders),
            *[note for one in compared.contenders for note in one.fairness_notes],
            *knowledge_notes([(one.name, one.details) for one in compared.contenders]),
            *reading_notes(one.workdir for one in compared.contenders),
        ],
        "first": compared.contenders[0].name,
        "runs": [
            {
                "name": one.name,
                "folders": [str(folder) for folder in one.folders],
                "n_tested": n_tested,
                "data": one.state,
                "seeds": one.experiment.seeds,
                **{metric: _score_json(one, metric) for metric in METRICS},
                "cross_entropy_against_votes": None if entropy is None else centre(entropy.cross),
                "entropy_of_votes": None if entropy is None else centre(entropy.lower),
            }
            for one, n_tested, entropy in zip(compared.contenders, compared.n_tested, entropies, strict=True)
        ],
        "differences": [asdict(pair) for pair in compared.pairs],
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
"""Titles of the columns of :func:`scores_with_intervals`."""


def interval_notes(contenders: Sequence[Contender]) -> list[str]:
    """Sentences that explain the intervals."""
    summaries = " or ".join(dict.fromkeys(one.clusters for one in contenders))
    few = min(len(set(one.seeds[0].clusters())) for one in contenders)
    seeds = {len(one.seeds) > 1 for one in contenders}
    notes = [
        f"From, to: 95 % intervals (Student's t) from leaving out clusters one at a time: {summaries}. "
        f"{clusters.MEANING}"
    ]
    if True in seeds:
        notes.append(
            "Several seeds: mean ± standard deviation over seeds, folds pooled; the interval is that of "
            "other clusters and other seeds."
        )
    if False in seeds:
        notes.append("One seed: the interval holds the trained network fixed.")
    return notes + clusters.few_clusters_notes(few)


def varied_notes(contenders: Sequence[Contender]) -> list[str]:
    """Sentences on what varied over the seeds of runs with several."""
    return chain_notes([one.experiment for one in contenders], [one.name for one in contenders])


def _title(compared: Comparison, text: str) -> str:
    details = compared.contenders[0].details
    synthetic = any(one.details["synthetic"] for one in compared.contenders)
    return data_title(text, str(details["dataset"]), synthetic=synthetic)


def _runs(compared: Comparison) -> Table:
    rows: list[list[Cell]] = [
        [one.titled, len(one.seeds), *scores_with_intervals(one)] for one in compared.contenders
    ]
    entropies = run_entropies(compared.contenders) or []
    for row, entropy in zip(rows, entropies, strict=False):
        row.append(entropy.cross)
    return Table(
        name="compare",
        title=_title(compared, "Runs compared"),
        columns=["Run", "Seeds", *SCORE_COLUMNS, *([CROSS.capitalize()] if entropies else [])],
        rows=rows,
        notes=[
            *_shared_notes(compared),
            *interval_notes(compared.contenders),
            *varied_notes(compared.contenders),
            *own_network_notes((one.name, one.details) for one in compared.contenders),
            *([entropy_note(entropies)] if entropies else []),
        ],
        keys=1,
    )


def _shared_notes(compared: Comparison) -> list[str]:
    unit = "clips" if compared.contenders[0].source == "video" else "images"
    notes = [
        f"On the {compared.n_samples:,} test {unit} that all runs share, without augmented copies; one "
        f"without a usable face counts as wrong. Chance is {chance(compared.contenders[0]):.3f}."
    ]
    if set(compared.n_tested) != {compared.n_samples}:
        tested = ", ".join(
            f"{one.name} {n:,}" for one, n in zip(compared.contenders, compared.n_tested, strict=True)
        )
        notes.append(f"The runs were tested on different {unit} ({tested}); the others are left out here.")
    notes += [note for one in compared.contenders for note in one.fairness_notes]
    notes += state_notes((one.name, one.state) for one in compared.contenders)
    notes += knowledge_notes([(one.name, one.details) for one in compared.contenders])
    return [*notes, *reading_notes(one.workdir for one in compared.contenders)]


def _differences(compared: Comparison) -> Table:
    rows: list[list[Cell]] = []
    n_clusters = compared.contenders[0].n_clusters
    has_ends = n_clusters >= clusters.LEAST
    for pair, one in zip(compared.pairs, compared.contenders[1:], strict=True):
        row: list[Cell] = [one.titled]
        for metric in METRICS:
            difference = pair.differences.get(metric)
            if difference is None:
                row += [None, None, None]
            else:
                ends: list[Cell] = [difference.low, difference.high] if has_ends else [None, None]
                row += [difference.estimate, *ends]
        rows.append([*row, PValue(pair.p), PValue(pair.p_corrected), *_mcnemar_cells(pair.mcnemar)])
    first = compared.contenders[0].titled
    return Table(
        name="compare-differences",
        title=_title(compared, f"Differences to {first}"),
        columns=[
            "Run",
            *SCORE_COLUMNS,
            "p (UAR)",
            "p (Holm)",
            "Only it right",
            "Only first right",
            "p (McNemar)",
        ],
        rows=rows,
        notes=[
            f"The run minus {first}. From, to: 95 % intervals (Student's t) from leaving out the same "
            f"clusters, {compared.clusters} one at a time, of both runs.",
            *([] if has_ends else clusters.few_clusters_notes(n_clusters)),
            *[_p_note(pair) for pair in compared.pairs],
            *_seed_notes(compared),
            f"p (Holm): corrected for {len(compared.pairs)} runs compared with the first."
            if len(compared.pairs) > 1
            else "p (Holm): as p (UAR), since one run alone is compared with the first.",
            _mcnemar_note(compared),
        ],
        keys=1,
        blocks=(9, 5),
    )


def _p_note(pair: Pair) -> str:
    if pair.is_over_seeds and not pair.differences:
        return f"p (UAR), {pair.name}: 1, since one cluster alone tells nothing."
    if pair.is_over_seeds:
        return f"p (UAR), {pair.name}: of the interval, over clusters and seeds (Student's t)."
    return (
        f"p (UAR), {pair.name}: permutation test, the predictions of whole clusters swapped between the "
        f"runs; {_ways(pair.permutation)}."
    )


def _seed_notes(compared: Comparison) -> list[str]:
    """Sentences on what intervals and p-values do not take into account."""
    varied = varied_notes(compared.contenders)
    single = [one.name for one in compared.contenders if len(one.seeds) == 1]
    if not single:
        return varied
    return [
        *varied,
        f"One seed ({', '.join(single)}): the trained network is held fixed. Intervals and p-values are of "
        "these networks, not of the methods: other seeds may differ by more. Name experiments with several "
        "seeds to compare methods.",
    ]


def _ways(test: Permutation) -> str:
    if test.is_exact:
        return (
            f"all {test.n_permutations:,} ways for the {test.n_clusters} that differ, so that p is at least "
            f"{min(1.0, 2 / test.n_permutations):.2g}"
        )
    return f"{test.n_permutations:,} ways drawn, {test.n_clusters} differ"


def _mcnemar_cells(test: McNemar | None) -> list[Cell]:
    return [None] * 3 if test is None else [test.only_first, test.only_second, PValue(test.p)]


def _p_value(p: float | None) -> PValue | None:
    return None if p is None else PValue(p)


def _mcnemar_note(compared: Comparison) -> str:
    note = (
        "p (McNemar): whether both have as many samples right; the discordant samples of whole clusters "
        "change sides, since McNemar's binomial test would take samples for independent."
    )
    if any(pair.mcnemar is None for pair in compared.pairs):
        note += " Blank where a run has several seeds: name one, e.g. experiment/fold/seed."
    return note


def _classes(compared: Comparison, pair: Pair, other: Contender) -> Table:
    first, name = compared.contenders[0].titled, other.titled
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
    corrected = [entry.p_corrected for entry in pair.classes if entry.p_corrected is not None]
    clear = [
        entry.label for entry in pair.classes if entry.p_corrected is not None and entry.p_corrected <= _ALPHA
    ]
    sentence = f"{len(clear)} of {len(corrected)} classes differ at the level of {_ALPHA:g} after correction"
    return Table(
        name=f"compare-classes-{pair.name.replace('/', '-')}",
        title=_title(compared, f"Accuracy per class, {name} against {first}"),
        columns=["Class", "Samples", first, name, "Difference", "p", "p (Holm)"],
        rows=rows,
        notes=[
            sentence + (f": {', '.join(clear)}." if clear else "."),
            f"p: permutation test of the class, whole clusters ({compared.clusters}) swapped, the trained "
            "networks held fixed; with few clusters of a class it cannot become small, whatever the "
            "difference.",
            f"p (Holm): corrected for {len(corrected)} classes.",
        ],
        keys=1,
    )
