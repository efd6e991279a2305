"""Leaderboards of all runs of a work folder by mean accuracy, one per set of comparable runs.

Images and clips, different label sets, and networks that were trained on other data are kept apart.
"""

from __future__ import annotations

from pathlib import Path

from fgbench.reports.comparison.compared import chance
from fgbench.reports.comparison.contenders import Contender, contender
from fgbench.reports.comparison.tables import (
    SCORE_COLUMNS,
    interval_notes,
    scores_with_intervals,
    varied_notes,
)
from fgbench.reports.experiments import NoRunError, damaged_runs, sound_experiments
from fgbench.reports.freshness import kind_of, state_notes
from fgbench.reports.own_networks import own_network_notes
from fgbench.reports.protocols import knowledge_notes
from fgbench.reports.rendering.table import Cell, Table, centre, data_title
from fgbench.runs.ledger.counts import reading_notes
from fgbench.workfolders.layout import RUNS
from fgbench.workfolders.manifest_index import has_classes, is_published

_KINDS = {"image": "images", "video": "clips"}


def leaderboard(workdir: Path) -> list[Table]:
    """Leaderboards of a work folder: networks trained here first, images before clips.

    Raises:
        NoRunError: If there is no undamaged finished run. Damaged ones are left out and named.
    """
    groups: dict[tuple[bool, str, str, str], list[Contender]] = {}
    experiments = sound_experiments(workdir)
    others = damaged_runs(workdir, but_for={experiment.name for experiment in experiments})
    gaps = [f"{RUNS}/{key} is damaged and left out." for key in others]
    for experiment in experiments:
        if experiment.damaged:
            lost = ", ".join(f"{RUNS}/{experiment.name}/{key}" for key in experiment.damaged)
            gaps.append(f"{lost} is damaged and left out.")
        if experiment.other_protocol:
            gaps.append(experiment.other_protocol)
        if not experiment.is_whole:
            gaps.append(f"{experiment.name} is left out, {experiment.gap}")
            continue
        one = contender(experiment)
        key = (one.is_from_elsewhere, one.source, one.label_set, str(one.details["dataset"]))
        groups.setdefault(key, []).append(one)
    if not groups and is_published(workdir) and not has_classes(workdir):
        raise NoRunError(
            f"{workdir} has no classes, expected some that runs tell apart",
            f"runs of action units: fgbench report --html --workdir {workdir}",
        )
    if not groups:
        raise NoRunError(
            f"no finished run of expressions in {workdir / RUNS}" + (f"; {' '.join(gaps)}" if gaps else ""),
            f"run e.g. fgbench baseline lbp-svm --workdir {workdir}",
        )
    gaps += reading_notes(workdir)
    return [_table(key, members, gaps) for key, members in sorted(groups.items())]


def _table(key: tuple[bool, str, str, str], contenders: list[Contender], gaps: list[str]) -> Table:
    is_from_elsewhere, source, label_set, dataset = key
    ranked = sorted(contenders, key=lambda one: (_is_unranked(one), -_uar(one), one.name))
    better = [_uar(one) for one in ranked if not _is_unranked(one)]
    rows: list[list[Cell]] = [
        [
            None if _is_unranked(one) else 1 + sum(uar > _uar(one) for uar in better),
            one.marked,
            one.experiment.method or None,
            *scores_with_intervals(one),
            len(one.seeds[0].sample_ids),
            len(one.seeds),
            one.state,
        ]
        for one in ranked
    ]
    trained = ", trained on other data" if is_from_elsewhere else ""
    return Table(
        name="-".join(["leaderboard", _KINDS[source], label_set.replace(" ", "-")])
        + ("-elsewhere" if is_from_elsewhere else ""),
        title=data_title(
            f"Leaderboard, {_KINDS[source]}, {label_set}{trained}",
            dataset,
            synthetic=any(one.details["synthetic"] for one in contenders),
        ),
        columns=["Rank", "Run", "Method", *SCORE_COLUMNS, "Samples", "Seeds", "Data"],
        rows=rows,
        notes=[
            f"By UAR, the mean accuracy of the classes. Test {_KINDS[source]} without augmented copies; one "
            f"without a usable face counts as wrong. Chance is {chance(contenders[0]):.3f}.",
            *interval_notes(contenders),
            *varied_notes(ranked),
            *own_network_notes((one.name, one.details) for one in ranked),
            *state_notes((one.name, one.state) for one in ranked),
            *_sample_notes(ranked),
            *[note for one in ranked for note in one.fairness_notes],
            "Intervals may overlap though one run is better than another: fgbench compare tests pairs.",
            *gaps,
        ],
        keys=3,
        blocks=(9, 3),
    )


def _uar(one: Contender) -> float:
    """Score that runs are ranked by, rounded so that equals share a rank; 0 without one."""
    return round(centre(one.score("uar")) or 0.0, 12)


def _is_unranked(one: Contender) -> bool:
    """Whether a run was scored on labels that its test samples no longer have."""
    return kind_of(one.state) == "old labels"


def _sample_notes(ranked: list[Contender]) -> list[str]:
    """Sentences on runs that are not comparable, or were no fair test."""
    tested: dict[frozenset[str], list[str]] = {}
    for one in ranked:
        tested.setdefault(frozenset(one.seeds[0].sample_ids), []).append(one.name)
    notes = []
    if len(tested) > 1:
        groups = "; ".join(f"{', '.join(names)}: {len(ids):,}" for ids, names in tested.items())
        notes.append(f"Tested on different samples ({groups}), so that their numbers do not compare.")
    return [*notes, *knowledge_notes([(one.name, one.details) for one in ranked])]
