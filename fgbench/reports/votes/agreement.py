"""Computing the figures of :mod:`fgbench.reports.votes.figures` from the votes of a work folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from fgbench.evaluation.agreement import (
    Agreement,
    LabelMeasure,
    NumberMeasure,
    agreements_of,
    nominal_agreement,
)
from fgbench.evaluation.annotator_pairs import exchanged, kappas, most_exchanged
from fgbench.evaluation.ballots import NONE, Flags, Floats, Indices
from fgbench.evaluation.clusters import LEAST
from fgbench.evaluation.exact_shares import exact_intervals
from fgbench.evaluation.fast_and_wrong import verdicts
from fgbench.evaluation.left_out_annotators import against_others, alphas_without, distances, quartiles
from fgbench.reports.votes.cast_votes import CLASS, NOT_USABLE, UNKNOWN, UNSURE, CastVotes, settled_rounds
from fgbench.reports.votes.figures import (
    AnnotatorFigures,
    ClassFigures,
    ConfusionFigures,
    PairFigures,
    RoundFigures,
    VoteFigures,
)

_Value = TypeVar("_Value", str, float)


def vote_figures(cast: CastVotes) -> VoteFigures:
    """Compute all figures of votes."""
    ballots = cast.ballots
    of_last = cast.rounds == settled_rounds(cast)[cast.clip]
    rounds: list[RoundFigures] = []
    classes: list[ClassFigures] = []
    for number in np.unique(cast.rounds).tolist():
        chosen = cast.chosen(cast.rounds == number)
        settled = _settled_clips(cast.chosen((cast.rounds == number) & of_last))
        labels, (key_frames,), (confidences,), names = _agreements(chosen)
        rounds.append(_round(chosen, number, int(settled.sum()), labels[0], key_frames, confidences))
        classes += _classes(chosen, number, settled, dict(zip(names, labels[1:], strict=True)))
    found = kappas(ballots)
    labels_of_all, clusters = _by_unit(cast, _names(cast), ballots.for_classes)
    return VoteFigures(
        rounds=tuple(rounds),
        classes=tuple(classes),
        annotators=tuple(_annotators(cast)),
        pairs=tuple(
            PairFigures(
                first=cast.annotators[first],
                second=cast.annotators[second],
                shared=shared,
                agreement=agreeing / shared,
                kappa=_finite(kappa),
            )
            for first, second, shared, agreeing, kappa in zip(
                found.first.tolist(),
                found.second.tolist(),
                found.shared.tolist(),
                found.agreeing.tolist(),
                found.kappa.tolist(),
                strict=True,
            )
        ),
        confusions=tuple(
            ConfusionFigures(
                first=cast.classes[one.first], second=cast.classes[one.second], pairs=one.n, share=one.share
            )
            for one in most_exchanged(exchanged(ballots))
        ),
        alpha=nominal_agreement(labels_of_all, clusters=clusters).alpha,
    )


def _settled_clips(cast: CastVotes) -> Indices:
    """(C,) clips settled as each class."""
    clips, first = np.unique(cast.clip, return_index=True)
    settled = cast.settled[first][: clips.size]
    return np.bincount(settled[settled != NONE], minlength=len(cast.classes)).astype(np.int64)


def _round(
    cast: CastVotes,
    number: int,
    settled: int,
    labels: Agreement,
    key_frames: Agreement,
    confidences: Agreement,
) -> RoundFigures:
    counts = {kind: int((cast.answers == kind).sum()) for kind in (UNSURE, NOT_USABLE, UNKNOWN)}
    return RoundFigures(
        round=number,
        annotators=int(np.unique(cast.ballots.annotators).size),
        clips=int(np.unique(cast.clip).size),
        votes=len(cast.clip),
        unsure=counts[UNSURE],
        not_usable=counts[NOT_USABLE],
        unknown=counts[UNKNOWN],
        settled=settled,
        alpha=labels.alpha,
        low=_end(labels, labels.low),
        high=_end(labels, labels.high),
        key_frame_alpha=key_frames.alpha,
        key_frame_low=_end(key_frames, key_frames.low),
        key_frame_high=_end(key_frames, key_frames.high),
        confidence_alpha=confidences.alpha,
        confidence_low=_end(confidences, confidences.low),
        confidence_high=_end(confidences, confidences.high),
        clusters=labels.n_clusters,
    )


def _classes(
    cast: CastVotes, number: int, settled: Indices, alphas: Mapping[str, Agreement]
) -> list[ClassFigures]:
    ballots = cast.ballots
    votes = np.bincount(ballots.classes[ballots.for_classes], minlength=len(cast.classes))
    cells = ballots.tallies.classes
    clips = np.bincount(cells, minlength=len(cast.classes))
    figures = []
    for place in np.flatnonzero(votes).tolist():
        name = cast.classes[place]
        given = cast.confidences[(ballots.classes == place) & np.isfinite(cast.confidences)]
        figures.append(
            ClassFigures(
                round=number,
                label=name,
                clips=int(clips[place]),
                votes=int(votes[place]),
                settled=int(settled[place]),
                confidence=float(given.mean()) if given.size else None,
                alpha=alphas[name].alpha,
                low=_end(alphas[name], alphas[name].low),
                high=_end(alphas[name], alphas[name].high),
            )
        )
    return figures


def _annotators(cast: CastVotes) -> list[AnnotatorFigures]:
    ballots, n_annotators = cast.ballots, len(cast.annotators)

    def counted(rows: Flags) -> Indices:
        return np.bincount(ballots.annotators[rows], minlength=n_annotators).astype(np.int64)

    votes = counted(np.ones(len(cast.clip), bool))
    is_gold = (cast.gold != NONE) & np.isin(cast.answers, (CLASS, UNKNOWN))
    gold, right = counted(is_gold), counted(is_gold & (cast.gold == ballots.classes))
    low, high = exact_intervals(right, gold)
    others = against_others(ballots)
    verdict = verdicts(ballots, cast.spent_s, others=others, gold_right=right, gold=gold)
    key_frames = distances(ballots, cast.key_times_s)
    columns: dict[str, Floats] = {
        "agreement": others.shares,
        "alpha_without": alphas_without(ballots),
        "gold_accuracy": _shares(right, gold),
        "gold_low": low,
        "gold_high": high,
        "seconds": quartiles(ballots, cast.spent_s)[1],
        "key_bias_s": key_frames.bias,
        "key_spread_s": key_frames.spread,
        "unsure": _shares(counted(cast.answers == UNSURE), votes),
        "not_usable": _shares(counted(cast.answers == NOT_USABLE), votes),
        "fast": _shares(verdict.fast, verdict.timed),
        "p": verdict.p,
    }
    return [
        AnnotatorFigures(
            annotator=name,
            votes=int(votes[one]),
            compared=int(others.compared[one]),
            gold=int(gold[one]),
            key_frames=int(key_frames.n[one]),
            is_fast_and_wrong=verdict.is_fast_and_wrong(one),
            **{column: _finite(values[one]) for column, values in columns.items()},
        )
        for one, name in enumerate(cast.annotators)
        if votes[one]
    ]


def _shares(part: Indices, whole: Indices) -> Floats:
    """Shares; NaN where the whole is 0."""
    shares: Floats = np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    return shares


def _agreements(
    cast: CastVotes,
) -> tuple[list[Agreement], list[Agreement], list[Agreement], Sequence[str]]:
    """Agreement on labels (on all, then on each), key frames and confidences; and the names of the labels."""
    labels = LabelMeasure(*_by_unit(cast, _names(cast), cast.ballots.for_classes))
    numbers = [
        NumberMeasure(*_by_unit(cast, values.tolist(), np.isfinite(values)))
        for values in (cast.key_times_s, cast.confidences)
    ]
    on_labels, key_frames, confidences = agreements_of([labels, *numbers])
    return on_labels, key_frames, confidences, labels.names


def _names(cast: CastVotes) -> list[str]:
    """Class of each vote by name; that of votes for no class means nothing."""
    return [cast.classes[place] for place in cast.ballots.classes.tolist()]


def _by_unit(cast: CastVotes, values: Sequence[_Value], rows: Flags) -> tuple[list[list[_Value]], list[str]]:
    """Values of some votes, grouped by unit, and the cluster of each unit."""
    groups: dict[int, list[_Value]] = {}
    clusters: dict[int, str] = {}
    units: Iterable[int] = cast.ballots.units.tolist()
    for unit, clip, value, is_there in zip(units, cast.clip.tolist(), values, rows.tolist(), strict=True):
        if is_there:
            groups.setdefault(unit, []).append(value)
            clusters.setdefault(unit, cast.clusters[clip])
    return list(groups.values()), list(clusters.values())


def _end(agreement: Agreement, end: float | None) -> float | None:
    """End of an interval; ``None`` with fewer clusters than an interval is printed of."""
    return end if agreement.n_clusters >= LEAST else None


def _finite(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
