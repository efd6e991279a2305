"""What samples are alike: those of one person, else of one film or recording, else of one clip.

Which of the three is told for each sample by itself: one sample of an unknown person does not take the person
from the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

_KINDS = ("subject", "source", "clip")

MEANING = (
    "A cluster is the subject of a sample, or its source (film, recording) or clip where that is not known."
)
"""Sentence for the notes of tables."""

FEW = 30
"""Clusters below which an interval is a rough guide only; ours, from the benchmark ``coverage``."""


LEAST = 5
"""Clusters below which no interval is printed: of two persons it says next to nothing; ours."""


def cluster_names(
    *, subject_ids: Sequence[str | None], source_ids: Sequence[str | None], clip_ids: Sequence[str]
) -> tuple[str, ...]:
    """The cluster of each of N samples: its kind and its name, e.g. ``"subject s07"``.

    Args:
        subject_ids: Person shown; ``None`` if unknown.
        source_ids: Film, recording or other source of the clip; ``None`` if unknown.
        clip_ids: Clip of each sample.

    Raises:
        ValueError: If lengths differ.
    """
    return tuple(
        next(f"{kind} {name}" for kind, name in zip(_KINDS, found, strict=True) if name is not None)
        for found in zip(subject_ids, source_ids, clip_ids, strict=True)
    )


def clusters_told(names: Iterable[str]) -> str:
    """How many clusters of each kind there are, e.g. ``"8 subjects and 3 clips"``."""
    counts = Counter(name.partition(" ")[0] for name in set(names))
    told = [f"{counts[kind]} {kind}{'' if counts[kind] == 1 else 's'}" for kind in _KINDS if counts[kind]]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told) or "no clusters"


def few_told(n_clusters: int) -> list[str]:
    """A sentence where intervals are of few clusters, or too few for any."""
    if n_clusters >= FEW:
        return []
    if n_clusters < LEAST:
        return [f"Fewer than five persons, or films or clips (here {n_clusters}): no interval."]
    return [
        f"Intervals of {n_clusters} clusters, fewer than {FEW}, are a rough guide: they may be too narrow."
    ]
