"""Settling annotators' votes on the label and the key frame of a clip (paper section III).

The paper: groups of five annotators; a label or key frame stands when at least three agree, which is more
than half of them; else the five annotate again; what is still uncertain after the second vote is removed.
For groups of other sizes, which the paper does not have, both are asked for: :attr:`Rules.min_votes`, and
more than half of the votes cast, so that no tie and no minority settles anything. Labels may be chosen by
another rule (:mod:`fgbench.preparation.settling`).

Not stated in the paper: when two key frames count as the same (here a tolerance), what becomes of a vote for
a key frame that the clip does not have (here it is cast, and its key frame agrees with none), and what
becomes of a clip whose own confidence is low (here it counts as not settled, :attr:`Rules.min_confidence`).
The paper's rule on confidence is one of classes, and comes before the votes: "we also eliminate those
subclasses with low confidence (less than 0.5 in our paper)"; :func:`class_confidences` computes these
means.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean, mean, median_low

from fgbench.naming import first_few
from fgbench.preparation.answers import NO_CLASS as NO_CLASS
from fgbench.preparation.answers import is_for_class, latest
from fgbench.preparation.settling import Choice
from fgbench.preparation.settling.paper import RULE as PAPERS_RULE
from fgbench.records import Vote

PAPERS_GROUP = 5
"""Annotators who vote on a clip (paper section III)."""
PAPERS_CONFIDENCE = 0.5
"""Mean confidence below which the paper drops a class (section III)."""

REANNOTATE = "reannotate"
"""Status of a clip that the first round did not settle; also the reason of such clips among the rejects."""

_ROUNDING = 1e-9
"""Difference of two means of confidences that is none: people give a few decimals."""

CAUSES = ("label", "key frame", "confidence")
"""Causes for which a clip may not be settled, as named in :attr:`Decision.detail`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Conditions under which votes settle a clip.

    Attributes:
        min_votes: Votes that have to agree, and be more than half of those cast.
        key_frame_tolerance: Largest distance, in frames, within a group of equal key frames.
        key_frame_tolerance_s: The same in seconds, for votes that all have the time of their key frames;
            ``None`` counts in frames.
        min_confidence: Least mean confidence of a clip, 0 to 1; our rule, not the paper's.
    """

    min_votes: int
    key_frame_tolerance: int
    min_confidence: float
    key_frame_tolerance_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Outcome of a vote.

    Attributes:
        status: ``"settled"``, ``"reannotate"`` (first round failed) or ``"dropped"`` (later round failed).
        label: The label that the rule chooses; ``None`` if none is.
        key_frame: Agreed key frame, if any.
        confidence: Mean of the confidences given by voters for the label; ``None`` if there are none.
        agreement: Share of the votes that went to the label; to the one with most where none is chosen.
        detail: Why the clip is not settled.
    """

    status: str
    label: str | None
    key_frame: int | None
    confidence: float | None
    agreement: float
    detail: str


def settle(votes: Sequence[Vote], rules: Rules, choice: Choice | None = None) -> Decision:
    """Decide on a clip by its latest round of votes.

    Args:
        votes: Votes of all rounds, at least one; one per annotator and round. Those for :data:`NO_CLASS`, and
            reserved answers, are cast, and agree with nobody.
        rules: When votes agree.
        choice: Label that another rule than the paper's chooses.

    Raises:
        ValueError: If there is no vote.
    """
    if not votes:
        raise ValueError("no votes to settle")
    cast = latest(votes)
    last = cast[0].round
    needed = max(rules.min_votes, len(cast) // 2 + 1)
    if choice is None:
        assert PAPERS_RULE.choose is not None
        choice = PAPERS_RULE.choose(cast, rules.min_votes)
    label = choice.label
    tally = Counter([vote.label for vote in cast if is_for_class(vote)])
    count = max(tally.values(), default=0) if label is None else tally[label]
    confidences = [vote.confidence for vote in cast if vote.label == label and vote.confidence is not None]
    confidence = _mean(tuple(sorted(confidences))) if confidences else None
    problems = []
    if choice.problem:
        problems.append(f"label: {choice.problem}")
    elif confidence is not None and is_below(confidence, rules.min_confidence):
        problems.append(f"confidence {_rounded_down(confidence):.2f}, {rules.min_confidence:.2f} needed")
    marked = [vote.key_frame for vote in cast if vote.key_frame is not None]
    outside = {vote.outside for vote in cast if vote.outside is not None}
    groups = _equal_key_frames(cast, rules)
    n_equal = len(groups[0]) if groups else 0
    agreed = n_equal >= needed
    if (marked or outside) and not agreed:
        beyond = f" (beyond the clip: frame {first_few(list(map(str, sorted(outside))))})" if outside else ""
        problems.append(f"key frame: {n_equal} of {len(cast)} agree, {needed} needed{beyond}")
    failed = REANNOTATE if last == 1 else "dropped"
    return Decision(
        status=failed if problems else "settled",
        label=label,
        key_frame=_shared_median(marked, groups) if agreed else None,
        confidence=confidence,
        agreement=count / len(cast),
        detail=f"round {last}: {'; '.join(problems)}" if problems else "",
    )


@lru_cache(maxsize=4096)
def _mean(numbers: tuple[float, ...]) -> float:
    """The exact mean, rounded once; people give few different confidences."""
    return mean(numbers)


def is_below(value: float, least: float) -> bool:
    """Whether a mean of confidences is below the least one: by more than their mean may be rounded, so that
    five votes of 0.7 are not below 0.7."""
    return value < least - _ROUNDING


def _rounded_down(value: float) -> float:
    """A number with two decimals, which is not told as the larger one that it is below."""
    return math.floor((value + _ROUNDING) * 100) / 100


def causes_of(detail: str) -> list[str]:
    """The :data:`CAUSES` that the detail of a decision names.

    Labels in it have no blanks, so that none is taken for a cause.
    """
    problems = detail.partition(": ")[2].split("; ")
    return [cause for cause in CAUSES if any(part.startswith(cause) for part in problems)]


def _equal_key_frames(cast: Sequence[Vote], rules: Rules) -> list[list[int]]:
    """The largest groups of key frames that count as the same, as :func:`largest_groups` gives them."""
    times = {vote.key_frame: vote.time_s for vote in cast if vote.key_frame is not None}
    frames = [vote.key_frame for vote in cast if vote.key_frame is not None]
    known_times = {frame: time_s for frame, time_s in times.items() if time_s is not None}
    if rules.key_frame_tolerance_s is None or known_times.keys() != times.keys():
        return largest_groups(frames, rules.key_frame_tolerance)
    # Whole microseconds, so that equal distances compare equal.
    tolerance_us = round(rules.key_frame_tolerance_s * 1e6)
    return largest_groups(frames, tolerance_us, {frame: round(at * 1e6) for frame, at in known_times.items()})


def largest_groups(
    frames: Sequence[int], tolerance: int, times: Mapping[int, int] | None = None
) -> list[list[int]]:
    """The largest sets of frame numbers that lie within ``tolerance`` of each other.

    Of several as large, those with the smallest spread; of these all, from the earliest to the latest.

    Args:
        frames: Frame numbers.
        tolerance: Largest distance within a set: in frames, or in the unit of ``times``.
        times: Frame number to its time, which grows with it; ``None`` takes the number itself.
    """

    ordered = sorted(frames)
    at = ordered if times is None else [times[frame] for frame in ordered]
    best, groups = (0, 0), {}
    for start, first in enumerate(ordered):
        end = bisect_right(at, at[start] + tolerance, start)
        rank = (start - end, at[end - 1] - at[start])
        if rank < best:
            best, groups = rank, {first: ordered[start:end]}
        elif rank == best:
            groups.setdefault(first, ordered[start:end])
    return list(groups.values())


def _shared_median(frames: Sequence[int], groups: Sequence[Sequence[int]]) -> int:
    """Lower median of the frames that overlapping groups span.

    Each group holds more than half of them, so that all groups hold it: of several, none has to be preferred.
    """
    first, last = groups[0][0], groups[-1][-1]
    return median_low(frame for frame in frames if first <= frame <= last)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One person's class of one clip: a vote of the first round, or the final label.

    Attributes:
        label: The class.
        confidence: 0 to 1; ``None`` if not given.
    """

    label: str
    confidence: float | None


def judgements(votes: Sequence[Vote], label: str | None, confidence: float | None) -> list[Judgement]:
    """Judgements that the confidence of classes is computed from: first-round votes, else the final label.

    Args:
        votes: Of all rounds.
        label: Final label of a clip without votes.
        confidence: Confidence that came with it.
    """
    if not votes:
        return [] if label is None else [Judgement(label, confidence)]
    first = min(vote.round for vote in votes)
    return [
        Judgement(vote.label, vote.confidence) for vote in votes if vote.round == first and is_for_class(vote)
    ]


def class_confidences(given: Iterable[Judgement]) -> dict[str, float | None]:
    """Mean confidence of each class over all judgements for it; ``None`` if there is no confidence.

    Args:
        given: Judgements on all clips.
    """
    values_of: dict[str, list[float]] = defaultdict(list)
    for judgement in given:
        values_of[judgement.label] += [] if judgement.confidence is None else [judgement.confidence]
    return {label: fmean(values) if values else None for label, values in sorted(values_of.items())}


def low_classes(confidences: Mapping[str, float | None], threshold: float) -> list[str]:
    """Classes with a mean confidence below a threshold, sorted; classes without a confidence stay."""
    return sorted(
        label for label, value in confidences.items() if value is not None and is_below(value, threshold)
    )


def duplicate_voter(votes: Sequence[Vote]) -> tuple[str, int] | None:
    """The first annotator (with the round) who voted twice in one round, if any.

    Which names are one person is settled where the votes are listed (:mod:`fgbench.catalogue.listing`).
    """
    seen: set[tuple[str, int]] = set()
    for vote in votes:
        cast = (vote.annotator, vote.round)
        if cast in seen:
            return vote.annotator, vote.round
        seen.add(cast)
    return None
