"""Shares of annotators: who votes on which clip, in balance and from a seed.

The paper has five annotators vote on every clip (section III). With more people than votes per clip each
votes on a part; how parts are dealt is not stated in the paper. Here the numbers of clips of two annotators
differ by at most 1, and pairs of annotators share clips as evenly as the search finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from random import Random

_SEARCHED = 5_000
"""Votes up to which shares are exchanged between clips to even out the pairs; with more of them, dealing
alone is even to a few clips."""
_TRIES_PER_VOTE = 20


def deal_shares(n_clips: int, n_annotators: int, per_clip: int, *, seed: int) -> list[tuple[int, ...]]:
    """Deal clips to annotators.

    Args:
        n_clips: Number of clips.
        n_annotators: Number of annotators.
        per_clip: Annotators of each clip, at most all.
        seed: Seed.

    Returns:
        For each clip the numbers of its annotators, in increasing order.

    Raises:
        ValueError: If there are fewer annotators than each clip needs.
    """
    if not 1 <= per_clip <= n_annotators:
        raise ValueError(f"{per_clip} annotators per clip, of {n_annotators}")
    if per_clip == n_annotators:
        return [tuple(range(n_annotators))] * n_clips
    random = Random(f"shares:{seed}")
    loads = [0] * n_annotators
    pairs = [[0] * n_annotators for _ in range(n_annotators)]
    dealt: list[set[int]] = []
    for _ in range(n_clips):
        chosen: list[int] = []
        ties = [random.random() for _ in range(n_annotators)]
        for _ in range(per_clip):
            rest = [one for one in range(n_annotators) if one not in chosen]
            best = min(rest, key=lambda one: (loads[one], sum(pairs[one][o] for o in chosen), ties[one]))
            loads[best] += 1
            for other in chosen:
                pairs[best][other] += 1
                pairs[other][best] += 1
            chosen.append(best)
        dealt.append(set(chosen))
    if n_clips >= 2 and n_clips * per_clip <= _SEARCHED:
        _even_out(dealt, pairs, random)
    return [tuple(sorted(one)) for one in dealt]


def pair_counts(dealt: Sequence[Sequence[int]], n_annotators: int) -> list[list[int]]:
    """Clips that two annotators share, (A, A); on the diagonal the clips of each."""
    counts = [[0] * n_annotators for _ in range(n_annotators)]
    for one in dealt:
        for annotator in one:
            counts[annotator][annotator] += 1
        for first, second in combinations(one, 2):
            counts[first][second] += 1
            counts[second][first] += 1
    return counts


def seeded_order(names: Sequence[str], among: Sequence[str], *, seed: int) -> list[str]:
    """Put clips in an order of the seed, with the items of a second list spread evenly among them.

    Args:
        names: Clips.
        among: Clips with known answers, e.g.; each takes a random position in a stretch of its own.
        seed: Seed.
    """
    random = Random(f"order:{seed}")
    order, mixed = sorted(names), sorted(among)
    random.shuffle(order)
    random.shuffle(mixed)
    total = len(order) + len(mixed)
    places: set[int] = set()
    for number in range(len(mixed)):
        first, last = number * total // len(mixed), (number + 1) * total // len(mixed)
        places.add(random.randrange(first, last))
    rest, known = iter(order), iter(mixed)
    return [next(known) if place in places else next(rest) for place in range(total)]


def _even_out(dealt: list[set[int]], pairs: list[list[int]], random: Random) -> None:
    """Exchange annotators between clips where that lowers the sum of the squared numbers of shared clips."""
    for _ in range(_TRIES_PER_VOTE * sum(map(len, dealt))):
        a, b = random.sample(range(len(dealt)), 2)
        only_a, only_b = sorted(dealt[a] - dealt[b]), sorted(dealt[b] - dealt[a])
        if not only_a or not only_b:
            continue
        x, y = random.choice(only_a), random.choice(only_b)
        rest_a, rest_b = dealt[a] - {x}, dealt[b] - {y}
        changes: dict[tuple[int, int], int] = {}
        for one, others, by in ((x, rest_a, -1), (y, rest_a, 1), (y, rest_b, -1), (x, rest_b, 1)):
            for other in others:
                pair = (min(one, other), max(one, other))
                changes[pair] = changes.get(pair, 0) + by
        gain = sum((pairs[i][j] + by) ** 2 - pairs[i][j] ** 2 for (i, j), by in changes.items())
        if gain < 0:
            for (i, j), by in changes.items():
                pairs[i][j] += by
                pairs[j][i] += by
            dealt[a], dealt[b] = rest_a | {y}, rest_b | {x}
