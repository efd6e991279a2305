"""Division of clips into train, val and test.

Groups (clips, recordings or people) are put in an order given by a hash of their name and the seed, so
that the division is the same on every machine and does not depend on the order of files.

Covering all classes has a price: no rule that keeps every clip in its part when another clip is added can
promise it, since the part of a clip would then follow from that clip alone. Here, where groups hold a single
class, clips of one class move for that class alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fgbench.files.hashing import hash_u64, hash_unit
from fgbench.naming import key
from fgbench.records import SPLITS


@dataclass(frozen=True, slots=True)
class Member:
    """A clip to be assigned to a part.

    Attributes:
        clip_id: Id of the clip.
        group: Name of the group that must stay together.
        label: Class, for the coverage of all classes.
    """

    clip_id: str
    group: str
    label: str


def divide(
    members: Sequence[Member],
    weights: Mapping[str, float],
    *,
    exact: bool,
    cover_all_classes: bool,
    seed: int,
    by_number: bool = False,
) -> dict[str, str]:
    """Assign each clip to a part.

    Args:
        members: The clips.
        weights: Part to its weight; only the proportions count.
        exact: Meet the sizes as closely as whole groups allow (with one clip per group: exactly, up to
            rounding); else each group is assigned by its own hash, whatever the other groups are, and stays
            there unless it is moved for coverage.
        cover_all_classes: Move groups into test, then train, until every class that has enough groups is
            there.
        seed: Seed of the order.
        by_number: Count groups instead of their clips for ``exact``: clips added to existing groups then
            move no other clips but for coverage, and every part with a weight gets a group if there are
            enough.

    Returns:
        Clip id to part.
    """
    groups: dict[str, list[Member]] = defaultdict(list)
    for member in members:
        groups[member.group].append(member)
    ordered = sorted(groups, key=lambda name: (hash_u64("split", seed, name), name))
    sizes = {name: 1 if by_number else len(groups[name]) for name in ordered}
    if exact or by_number:
        parts = _exact(ordered, sizes, weights, least=int(by_number))
    else:
        parts = _by_hash(ordered, weights, seed)
    if cover_all_classes:
        _cover(parts, ordered, groups, weights, sizes=sizes if exact or by_number else None)
    return {member.clip_id: parts[member.group] for member in members}


def apportion(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers in proportion to weights, adding up to ``total`` (largest remainders)."""
    whole = sum(weights.values())
    shares = {name: total * weight / whole for name, weight in weights.items()}
    counts = {name: int(share) for name, share in shares.items()}
    left = total - sum(counts.values())
    for name in sorted(shares, key=lambda name: (counts[name] - shares[name], list(weights).index(name)))[
        :left
    ]:
        counts[name] += 1
    return counts


def _by_hash(ordered: Sequence[str], weights: Mapping[str, float], seed: int) -> dict[str, str]:
    whole = sum(weights.values())
    parts: dict[str, str] = {}
    for name in ordered:
        rest = hash_unit("split", seed, name) * whole
        for part in SPLITS:
            rest -= weights[part]
            parts[name] = part
            if rest < 0:
                break
    return parts


def _exact(
    ordered: Sequence[str], sizes: Mapping[str, int], weights: Mapping[str, float], *, least: int = 0
) -> dict[str, str]:
    """Give each group, in the hashed order, to the part that lacks most of its target size, which is at least
    ``least`` where the part has a weight and others can spare it."""
    wanted = apportion(sum(sizes.values()), {part: weights[part] for part in SPLITS})
    for part in SPLITS:
        most = max(SPLITS, key=lambda name: wanted[name])
        if weights[part] > 0 and wanted[part] < least < wanted[most]:
            wanted[part] += 1
            wanted[most] -= 1
    left = dict(wanted)
    parts: dict[str, str] = {}
    for name in ordered:
        part = max(SPLITS, key=lambda part: left[part] / wanted[part] if wanted[part] else float("-inf"))
        parts[name] = part
        left[part] -= sizes[name]
    return parts


def _cover(
    parts: dict[str, str],
    ordered: Sequence[str],
    groups: Mapping[str, Sequence[Member]],
    weights: Mapping[str, float],
    *,
    sizes: Mapping[str, int] | None,
) -> None:
    """Swap (or move) groups so that test and train hold every class, as far as there are groups for it.

    With sizes, of groups, a group moves in exchange for one of equal size that is not the last of its class
    there; without, it just moves.
    """
    labels = {name: {member.label for member in groups[name]} for name in ordered}
    targets = [part for part in ("test", "train") if weights[part] > 0]
    held: dict[str, Counter[str]] = {part: Counter() for part in SPLITS}
    for name in ordered:
        held[parts[name]].update(labels[name])

    def spare(name: str) -> bool:
        part = parts[name]
        return part not in targets or all(held[part][label] > 1 for label in labels[name])

    def move(name: str, part: str) -> None:
        held[parts[name]].subtract(labels[name])
        parts[name] = part
        held[part].update(labels[name])

    for part in targets:
        for label in sorted({label for of_group in labels.values() for label in of_group}, key=key):
            if held[part][label] > 0:
                continue
            donors = [
                name for name in ordered if label in labels[name] and parts[name] != part and spare(name)
            ]
            donors.sort(key=lambda name: parts[name] in targets)  # val gives first; sort is stable
            for donor in donors:
                source = parts[donor]
                if sizes is None:
                    move(donor, part)
                    break
                move(donor, part)
                back = [
                    name
                    for name in ordered
                    if parts[name] == part
                    and name != donor
                    and sizes[name] == sizes[donor]
                    and label not in labels[name]
                    and spare(name)
                ]
                if back:
                    move(back[0], source)
                    break
                move(donor, source)
