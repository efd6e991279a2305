"""Types of rules that settle votes: a choice for each clip, or a model fitted to the votes on all clips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.naming import key
from fgbench.preparation.answers import is_for_class, latest
from fgbench.records import Vote

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """Label that a rule chooses for a clip.

    Attributes:
        label: The label; ``None`` if the rule chooses none.
        problem: Why the label does not stand; empty if it does.
    """

    label: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LatestVotes:
    """Votes for classes in the latest round of each clip, ordered by clip, annotator and label.

    Attributes:
        clip_ids: The N clips with such votes, sorted.
        labels: The C labels voted for, sorted.
        n_annotators: Number of different annotators.
        clip: (V,) index of the clip of each vote.
        annotator: (V,) index of its annotator.
        label: (V,) index of its label.
    """

    clip_ids: tuple[str, ...]
    labels: tuple[str, ...]
    n_annotators: int
    clip: Ints
    annotator: Ints
    label: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A way to choose the label of a clip; has either :attr:`choose` or :attr:`fit`.

    Attributes:
        version: Raised when the rule chooses otherwise than before.
        about: How a label comes to stand, as a clause for the data card.
        choose: Chooses by the votes of a clip's latest round, and the number of votes that the recipe wants
            to agree.
        fit: Estimates the probability of each label for each clip, (N, C), NaN where there is none; the rows
            of a clip add up to 1.
    """

    version: int
    about: str
    choose: Callable[[Sequence[Vote], int], Choice] | None = None
    fit: Callable[[LatestVotes], Floats] | None = None


def collected(of_clips: Iterable[tuple[str, Sequence[Vote]]]) -> LatestVotes:
    """Votes of all clips as the input of :attr:`Rule.fit`; the order in which they come does not count.

    Args:
        of_clips: Id and votes of each clip, of all rounds, one vote per annotator and round.
    """
    same: dict[str, str] = {}

    def kept(text: str) -> str:
        return same.setdefault(text, text)

    rows = sorted(
        (kept(clip_id), kept(key(vote.annotator)), kept(vote.label))
        for clip_id, votes in of_clips
        for vote in latest(votes)
        if is_for_class(vote)
    )
    clip_ids, clip = _numbered([row[0] for row in rows])
    annotators, annotator = _numbered([row[1] for row in rows])
    labels, label = _numbered([row[2] for row in rows])
    return LatestVotes(
        clip_ids=clip_ids,
        labels=labels,
        n_annotators=len(annotators),
        clip=clip,
        annotator=annotator,
        label=label,
    )


def _numbered(texts: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """Different texts, sorted, and the index of each text among them."""
    different = tuple(sorted(set(texts)))
    index = {text: number for number, text in enumerate(different)}
    return different, np.array([index[text] for text in texts], np.int64)
