"""Tables of agreement, with notes on what each figure means."""

from __future__ import annotations

from collections.abc import Sequence

from fgbench.evaluation import fast_and_wrong
from fgbench.evaluation.annotator_pairs import LEAST_SHARED
from fgbench.evaluation.clusters import MEANING, few_clusters_notes
from fgbench.naming import counted
from fgbench.reports.rendering.render import text
from fgbench.reports.rendering.table import Cell, PValue, Table, data_title
from fgbench.reports.votes.cast_votes import CastVotes
from fgbench.reports.votes.figures import AnnotatorFigures, VoteFigures

SHORT = 20
"""Rows of a table of pairs or of confused classes that are printed unless all are asked for."""

ALPHA_NOTE = (
    "Alpha: Krippendorff's, 1 where all agree, 0 where they agree as often as by chance, below 0 where less; "
    "of labels by equality."
)
BLANK_NOTE = (
    "Blank: alpha is not defined where all votes are alike, since nothing then tells agreement from chance, "
    "or no clip has two votes to compare."
)
FAST_NOTE = (
    "Fast and wrong: on more than half of the clips they took less than half of the others' median time "
    "(binomial test), and they agree less with the others, or with known answers, than all others together "
    f"(Fisher's exact test); p is the larger of both, corrected for the number of annotators (Holm), and at "
    f"most {fast_and_wrong.ALPHA:g}. No verdict with fewer than {fast_and_wrong.LEAST_VOTES} votes that "
    "have times or are compared."
)
_LATER = (
    "Clips of a later round are those that an earlier one did not settle: its alpha may be lower for that "
    "reason alone."
)


def vote_tables(cast: CastVotes, figures: VoteFigures) -> list[Table]:
    """All tables of votes: by round, by class, annotators, pairs, confused classes."""
    return [
        _rounds(cast, figures),
        _classes(cast, figures),
        _annotators(cast, figures),
        _pairs(cast, figures),
        _confusions(cast, figures),
    ]


def shortened(table: Table) -> Table:
    """The first rows of a long table of pairs or of confused classes, with a note on the others."""
    if table.name not in ("votes-pairs", "votes-confused", "votes-pair") or len(table.rows) <= SHORT:
        return table
    rest = len(table.rows) - SHORT
    return Table(
        name=table.name,
        title=table.title,
        columns=table.columns,
        rows=table.rows[:SHORT],
        notes=[f"{counted(rest, 'more row')}: --full, or the file.", *table.notes],
        keys=table.keys,
        blocks=table.blocks,
    )


def _title(cast: CastVotes, text: str) -> str:
    return data_title(text, cast.dataset, synthetic=cast.synthetic)


def _rounds(cast: CastVotes, figures: VoteFigures) -> Table:
    rows: list[list[Cell]] = [
        [
            one.round,
            one.annotators,
            one.clips,
            one.votes,
            one.alpha,
            one.low,
            one.high,
            one.key_frame_alpha,
            one.key_frame_low,
            one.key_frame_high,
            one.confidence_alpha,
            one.confidence_low,
            one.confidence_high,
            one.unsure,
            one.not_usable,
            one.unknown,
            one.settled,
        ]
        for one in figures.rounds
    ]
    twice = (
        [f"Left out: {counted(cast.n_left_out, 'clip')} with two votes of one annotator in one round."]
        if cast.n_left_out
        else []
    )
    return Table(
        name="votes-rounds",
        title=_title(cast, "Agreement by round"),
        columns=[
            "Round",
            "Annotators",
            "Clips",
            "Votes",
            "Alpha",
            "95 % from",
            "95 % to",
            "Alpha, key frames",
            "Key frames from",
            "Key frames to",
            "Alpha, confidence",
            "Confidence from",
            "Confidence to",
            "Unsure",
            "Not usable",
            "No class",
            "Settled",
        ],
        rows=rows,
        notes=[
            f"{ALPHA_NOTE} Key frames by the squared distance of their times, confidence likewise.",
            *([BLANK_NOTE] if any(one.alpha is None for one in figures.rounds) else []),
            f"From, to: 95 % intervals by whole clusters, drawn with replacement. {MEANING}",
            *few_clusters_notes(min(one.clusters for one in figures.rounds)),
            *([_LATER] if len(figures.rounds) > 1 else []),
            "Unsure, not usable: votes that are cast and for no class; no class: votes for labels that the "
            "data set does not have. Settled: clips that the round settled.",
            *twice,
        ],
        keys=1,
        blocks=(6, 6, 4),
    )


def _classes(cast: CastVotes, figures: VoteFigures) -> Table:
    rows: list[list[Cell]] = [
        [
            one.round,
            one.label,
            one.clips,
            one.votes,
            one.settled,
            one.alpha,
            one.low,
            one.high,
            one.confidence,
        ]
        for one in figures.classes
    ]
    return Table(
        name="votes-classes",
        title=_title(cast, "Agreement by class"),
        columns=[
            "Round",
            "Class",
            "Clips",
            "Votes",
            "Settled",
            "Alpha",
            "95 % from",
            "95 % to",
            "Confidence",
        ],
        rows=rows,
        notes=[
            "Alpha: Krippendorff's, of the class against all others together. Clips: those with a vote for "
            "the class; settled: clips that the round settled as the class.",
            "Confidence: mean of the votes for the class, 0 to 1.",
        ],
        keys=2,
    )


def _annotators(cast: CastVotes, figures: VoteFigures) -> Table:
    rows = [_annotator_row(one) for one in figures.annotators]
    return Table(
        name="votes-annotators",
        title=_title(cast, "Annotators"),
        columns=[
            "Annotator",
            "Votes",
            "Compared",
            "Agreement",
            "Alpha without",
            "Unsure",
            "Not usable",
            "Known answers",
            "Right",
            "95 % from",
            "95 % to",
            "Key frames",
            "Bias, s",
            "Spread, s",
            "Verdict",
            "p",
            "Seconds",
            "Fast votes",
        ],
        rows=rows,
        notes=[
            "Agreement: share of the votes compared that are for the class with most votes of the others, on "
            "the same clip in the same round; clips where these are tied, or have no vote for a class, are "
            "left out.",
            f"Alpha without: Krippendorff's alpha of all votes but theirs. Of all votes it is "
            f"{text(figures.alpha) or 'not defined'}: an annotator without whom it is higher lowers it.",
            "Unsure, not usable: shares of their votes. Seconds: median time of a vote. Fast votes: share of "
            "the votes with a time that took less than half of the others' median time on the same clip.",
            "Known answers: votes on clips with one (unsure and not usable left out), the share that is "
            "right, and its exact interval (Clopper and Pearson).",
            "Bias: median of their key frame's time minus the median of the others' on the same clip, above "
            "0 later; spread: distance of the quartiles of these differences.",
            FAST_NOTE,
        ],
        keys=1,
        blocks=(6, 7, 4),
    )


def _annotator_row(one: AnnotatorFigures) -> list[Cell]:
    return [
        one.annotator,
        one.votes,
        one.compared,
        one.agreement,
        one.alpha_without,
        one.unsure,
        one.not_usable,
        one.gold,
        one.gold_accuracy,
        one.gold_low,
        one.gold_high,
        one.key_frames,
        one.key_bias_s,
        one.key_spread_s,
        verdict_of(one),
        None if one.p is None else PValue(one.p),
        one.seconds,
        one.fast,
    ]


def verdict_of(one: AnnotatorFigures) -> str:
    """The verdict on an annotator in words; empty where nothing is wrong."""
    if one.is_fast_and_wrong is None:
        return "none: no times" if one.fast is None else "none: few votes"
    return "fast and wrong" if one.is_fast_and_wrong else ""


def _pairs(cast: CastVotes, figures: VoteFigures) -> Table:
    rows: list[list[Cell]] = [
        [one.first, one.second, one.shared, one.agreement, one.kappa] for one in figures.pairs
    ]
    return Table(
        name="votes-pairs",
        title=_title(cast, "Pairs of annotators"),
        columns=["Annotator", "And", "Clips shared", "Agreement", "Kappa"],
        rows=rows,
        notes=[
            "Kappa: Cohen's, on the clips and rounds in which both voted for a class: 1 where they always "
            "agree, 0 where as often as by chance.",
            *_without_kappa(figures.annotators, len(figures.pairs)),
        ],
        keys=2,
    )


def _without_kappa(annotators: Sequence[AnnotatorFigures], n_pairs: int) -> list[str]:
    rest = len(annotators) * (len(annotators) - 1) // 2 - n_pairs
    if not rest:
        return []
    return [f"{counted(rest, 'pair')} with fewer than {LEAST_SHARED} clips in common left out."]


def _confusions(cast: CastVotes, figures: VoteFigures) -> Table:
    rows: list[list[Cell]] = [[one.first, one.second, one.pairs, one.share] for one in figures.confusions]
    return Table(
        name="votes-confused",
        title=_title(cast, "Classes that annotators confuse"),
        columns=["Class", "And", "Pairs of votes", "Share"],
        rows=rows,
        notes=[
            "Pairs of votes on the same clip in the same round of which one is for each of the two classes. "
            "Share: of the pairs of votes that are both for one of these two classes; neither class is taken "
            "for the right one."
        ],
        keys=2,
    )
