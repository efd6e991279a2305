"""Settling annotators' votes on the label and the key frame of a clip (paper section III).

The paper: five annotators; a label or key frame stands when at least three agree; else the five annotate
again; what is still uncertain after the second vote is removed, and so is what has a confidence below 0.5.
When two key frames count as the same, and whose confidence is averaged, is not stated in the paper: here a
tolerance in frames, and those who voted for the winning label.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median_low

from fgbench.naming import key
from fgbench.records import Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When votes settle a clip.

    Attributes:
        min_votes: Votes that have to agree.
        key_frame_tolerance: Largest distance, in frames, within a group of equal key frames.
        min_confidence: Least mean confidence, 0 to 1.
    """

    min_votes: int
    key_frame_tolerance: int
    min_confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Outcome of a vote.

    Attributes:
        status: ``"settled"``, ``"reannotate"`` (first round failed) or ``"dropped"`` (later round failed).
        label: The label with most votes; of several, the first in the alphabet.
        key_frame: Agreed key frame, if any.
        confidence: Mean confidence of those who voted for the label.
        agreement: Share of the votes that went to the label.
        detail: Why it is not settled.
    """

    status: str
    label: str
    key_frame: int | None
    confidence: float
    agreement: float
    detail: str


def settle(votes: Sequence[Vote], rules: Rules) -> Decision:
    """Decide on a clip by its latest round of votes.

    Args:
        votes: Votes of all rounds, at least one; one per annotator and round.
        rules: When votes agree.

    Raises:
        ValueError: If there is no vote.
    """
    if not votes:
        raise ValueError("no votes to settle")
    last = max(vote.round for vote in votes)
    cast = [vote for vote in votes if vote.round == last]
    tally = Counter(vote.label for vote in cast)
    best, count = min(tally.items(), key=lambda item: (-item[1], item[0]))
    confidence = mean(vote.confidence for vote in cast if vote.label == best)
    problems = []
    if count < rules.min_votes:
        problems.append(f"label: {count} of {len(cast)} agree, {rules.min_votes} needed")
    elif confidence < rules.min_confidence:
        problems.append(f"confidence {confidence:.2f}, {rules.min_confidence:.2f} needed")
    marked = [vote.key_frame for vote in cast if vote.key_frame is not None]
    group = largest_group(marked, rules.key_frame_tolerance)
    if marked and len(group) < rules.min_votes:
        problems.append(f"key frame: {len(group)} of {len(cast)} agree, {rules.min_votes} needed")
    failed = "reannotate" if last == 1 else "dropped"
    return Decision(
        status=failed if problems else "settled",
        label=best,
        key_frame=median_low(group) if group else None,
        confidence=confidence,
        agreement=count / len(cast),
        detail=f"round {last}: {'; '.join(problems)}" if problems else "",
    )


def largest_group(frames: Sequence[int], tolerance: int) -> list[int]:
    """The largest set of frame numbers that lie within ``tolerance`` frames of each other.

    Of several as large, the one with the smallest spread, then the earliest.
    """
    ordered = sorted(frames)
    groups: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for start, first in enumerate(ordered):
        group = [frame for frame in ordered[start:] if frame - first <= tolerance]
        groups[-len(group), group[-1] - first, first] = group
    return groups[min(groups)] if groups else []


def duplicate_voter(votes: Sequence[Vote]) -> tuple[str, int] | None:
    """The first annotator (with the round) who voted twice in one round, if any.

    Names that differ in case, blanks or composition alone are one annotator.
    """
    seen: set[tuple[str, int]] = set()
    for vote in votes:
        cast = (key(vote.annotator), vote.round)
        if cast in seen:
            return vote.annotator, vote.round
        seen.add(cast)
    return None
