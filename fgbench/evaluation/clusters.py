"""Clusters of similar samples: of one subject, else of one film or recording, else of one clip.

The choice is made for each sample by itself: one sample of an unknown subject does not affect the others.
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
"""Number of clusters below which an interval is a rough guide only; ours, from the benchmark ``coverage``."""


LEAST = 5
"""Number of clusters below which no interval is printed: with two subjects it means next to nothing; ours."""


def cluster_names(
    *, subject_ids: Sequence[str | None], source_ids: Sequence[str | None], clip_ids: Sequence[str]
) -> tuple[str, ...]:
    """Cluster of each of N samples: its kind and its name, e.g. ``"subject s07"``.

    Args:
        subject_ids: Subject shown; ``None`` if unknown.
        source_ids: Film, recording or other source of the clip; ``None`` if unknown.
        clip_ids: Clip of each sample.

    Raises:
        ValueError: If lengths differ.
    """
    return tuple(
        next(f"{kind} {name}" for kind, name in zip(_KINDS, ids, strict=True) if name is not None)
        for ids in zip(subject_ids, source_ids, clip_ids, strict=True)
    )


def cluster_summary(names: Iterable[str]) -> str:
    """Number of clusters of each kind in words, e.g. ``"8 subjects and 3 clips"``."""
    counts = Counter(name.partition(" ")[0] for name in set(names))
    parts = [f"{counts[kind]} {kind}{'' if counts[kind] == 1 else 's'}" for kind in _KINDS if counts[kind]]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) or "no clusters"


def few_clusters_notes(n_clusters: int) -> list[str]:
    """Sentence on intervals of few clusters, or of too few for any; empty if there are enough."""
    if n_clusters >= FEW:
        return []
    if n_clusters < LEAST:
        return [f"Fewer than five persons, or films or clips (here {n_clusters}): no interval."]
    return [
        f"Intervals of {n_clusters} clusters, fewer than {FEW}, are a rough guide: they may be too narrow."
    ]
