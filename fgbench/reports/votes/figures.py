"""Figures of agreement as values: by round, class, annotator, pair of annotators and pair of classes.

All are ours: the paper reports no agreement of its annotators.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFigures:
    """One round of votes.

    Attributes:
        round: Its number, from 1.
        annotators: Annotators who voted.
        clips: Clips with a vote.
        votes: Votes cast.
        unsure: Votes "unsure".
        not_usable: Votes "not usable".
        unknown: Votes for labels that are no class.
        settled: Clips that the round settled.
        alpha: Krippendorff's alpha of the labels; ``None`` if undefined.
        low: Lower end of its 95 % interval; ``None`` with fewer than five clusters.
        high: Upper end.
        key_frame_alpha: Alpha of the times of key frames, by their squared distance.
        key_frame_low: Lower end of its 95 % interval; ``None`` as ``low``.
        key_frame_high: Upper end.
        confidence_alpha: Alpha of the confidences, likewise.
        confidence_low: Lower end of its 95 % interval; ``None`` as ``low``.
        confidence_high: Upper end.
        clusters: Clusters that the interval of the labels draws.
    """

    round: int
    annotators: int
    clips: int
    votes: int
    unsure: int
    not_usable: int
    unknown: int
    settled: int
    alpha: float | None
    low: float | None
    high: float | None
    key_frame_alpha: float | None
    key_frame_low: float | None
    key_frame_high: float | None
    confidence_alpha: float | None
    confidence_low: float | None
    confidence_high: float | None
    clusters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """One class in one round.

    Attributes:
        round: Number of the round.
        label: The class.
        clips: Clips with a vote for it.
        votes: Votes for it.
        settled: Clips that the round settled as this class.
        confidence: Mean confidence of its votes; ``None`` if none was given.
        alpha: Krippendorff's alpha of this class against all others.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    round: int
    label: str
    clips: int
    votes: int
    settled: int
    confidence: float | None
    alpha: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatorFigures:
    """One annotator in all rounds.

    Attributes:
        annotator: The name, as the manifests have it.
        votes: Votes cast.
        compared: Votes compared with the plurality of the others on the same clip in the same round.
        agreement: Share of these that agree with it; ``None`` without any.
        alpha_without: Krippendorff's alpha of all votes but theirs.
        gold: Votes on clips with a known answer, "unsure" and "not usable" left out.
        gold_accuracy: Share of these that are right.
        gold_low: Lower end of its exact 95 % interval.
        gold_high: Upper end.
        seconds: Median of the seconds spent on a vote.
        key_frames: Key frames compared with the median of the others'.
        key_bias_s: Median of the differences in seconds; above 0 later than the others.
        key_spread_s: Distance of the quartiles of the differences, seconds.
        unsure: Share of votes "unsure".
        not_usable: Share of votes "not usable".
        fast: Share of the votes with a time that took less than half of the others' median time.
        p: Corrected p-value of the rule :mod:`fgbench.evaluation.fast_and_wrong`.
        is_fast_and_wrong: Its verdict; ``None`` where there are too few votes or no times.
    """

    annotator: str
    votes: int
    compared: int
    agreement: float | None
    alpha_without: float | None
    gold: int
    gold_accuracy: float | None
    gold_low: float | None
    gold_high: float | None
    seconds: float | None
    key_frames: int
    key_bias_s: float | None
    key_spread_s: float | None
    unsure: float | None
    not_usable: float | None
    fast: float | None
    p: float | None
    is_fast_and_wrong: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFigures:
    """Two annotators on the clips and rounds in which both voted for a class.

    Attributes:
        first: One annotator.
        second: The other.
        shared: Clips in common, in rounds that both voted in.
        agreement: Share with the same class.
        kappa: Cohen's kappa; ``None`` where both gave one class alone.
    """

    first: str
    second: str
    shared: int
    agreement: float
    kappa: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionFigures:
    """Two classes that annotators give to the same clips.

    Attributes:
        first: One class.
        second: The other.
        pairs: Pairs of votes on one clip in one round of which one is for each.
        share: Share of these among the pairs of votes that are both for one of the two classes.
    """

    first: str
    second: str
    pairs: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteFigures:
    """All figures of the votes of a work folder.

    Attributes:
        rounds: By round.
        classes: By round and class, in the order of the classes.
        annotators: By annotator, in the order of their names.
        pairs: Pairs of annotators with enough clips in common.
        confusions: Pairs of classes, those confused most first.
        alpha: Alpha of the labels of all rounds together.
    """

    rounds: tuple[RoundFigures, ...]
    classes: tuple[ClassFigures, ...]
    annotators: tuple[AnnotatorFigures, ...]
    pairs: tuple[PairFigures, ...]
    confusions: tuple[ConfusionFigures, ...]
    alpha: float | None
