"""Votes in lists as the input of models, number by number: what reading them by column has to give."""

import numpy as np

from fgbench.naming import key
from fgbench.preparation.answers import is_for_class, latest
from fgbench.preparation.settling._rule import of_indices


def collected(of_clips):
    """Votes of all clips as the input of :attr:`Rule.fit`; the order in which they come does not count.

    Args:
        of_clips: Id and votes of each clip, of all rounds, one vote per annotator and round.
    """
    numbers: tuple[dict[str, int], ...] = ({}, {}, {})
    rows = [
        [
            number.setdefault(text, len(number))
            for number, text in zip(numbers, (clip_id, key(vote.annotator), vote.label), strict=True)
        ]
        for clip_id, votes in of_clips
        for vote in latest(votes)
        if is_for_class(vote)
    ]
    clip, annotator, label = np.array(rows, np.int64).reshape(-1, 3).T
    clips, annotators, labels = map(list, numbers)
    return of_indices(clips, clip, annotators, annotator, labels, label)
