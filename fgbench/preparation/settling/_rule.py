"""Types of rules that settle votes: a choice for each clip, or a model fitted to the votes on all clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fgbench.records import Vote

Indices = npt.NDArray[np.int64]
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
    clip: Indices
    annotator: Indices
    label: Indices


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
        needs_crowd_kit: Whether it is fitted by the package crowd-kit, which is an extra.
    """

    version: int
    about: str
    choose: Callable[[Sequence[Vote], int], Choice] | None = None
    fit: Callable[[LatestVotes], Floats] | None = None
    needs_crowd_kit: bool = False


def of_indices(
    clips: Sequence[str],
    clip: Indices,
    annotators: Sequence[str],
    annotator: Indices,
    labels: Sequence[str],
    label: Indices,
) -> LatestVotes:
    """Votes as the input of :attr:`Rule.fit`; neither their order nor that of the names counts.

    Args:
        clips: Names of clips; those without a vote are left out, as are annotators and labels.
        clip: (V,) index of the clip of each vote.
        annotators: Names of annotators, one for each person.
        annotator: (V,) index of the annotator.
        labels: Labels.
        label: (V,) index of the label.
    """
    clip_ids, clip = _in_order(clips, clip)
    people, annotator = _in_order(annotators, annotator)
    names, label = _in_order(labels, label)
    order = np.lexsort((label, annotator, clip))
    return LatestVotes(
        clip_ids=clip_ids,
        labels=names,
        n_annotators=len(people),
        clip=clip[order],
        annotator=annotator[order],
        label=label[order],
    )


def _in_order(texts: Sequence[str], index: Indices) -> tuple[tuple[str, ...], Indices]:
    """The texts that an index names, sorted, and the indices among them."""
    used = np.zeros(len(texts), np.bool_)
    used[index] = True
    places = sorted(np.flatnonzero(used).tolist(), key=texts.__getitem__)
    rank = np.zeros(len(texts), np.int64)
    rank[places] = np.arange(len(places))
    return tuple(texts[place] for place in places), rank[index]
