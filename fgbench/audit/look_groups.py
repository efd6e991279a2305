"""Groups of clips that show the same: equal files, equal pictures and near duplicates together.

Ten thousand copies of a clip are fifty million pairs and one group. Reads and writes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fgbench.audit.leak import Kind, Leak, Side

LOOKS: Sequence[Kind] = ("same_clip", "same_file", "same_picture", "near_duplicate")
"""Kinds of leaks that join clips into a group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookGroup:
    """Clips of two parts or more that show the same, directly or through others of the group.

    Attributes:
        clips: Name of a part to the sorted ids of its clips.
    """

    clips: Mapping[str, Sequence[str]]

    @property
    def n_clips(self) -> int:
        """Number of clips of all parts."""
        return sum(len(ids) for ids in self.clips.values())

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"n_clips": self.n_clips, "clips": {part: list(ids) for part, ids in self.clips.items()}}


_Node = tuple[str, str]
"""Part and id of a clip."""


def look_groups(sides: Sequence[Side], leaks: Iterable[Leak]) -> list[LookGroup]:
    """Groups over all parts that were compared, the largest first.

    Args:
        sides: The parts.
        leaks: Leaks between them.
    """
    leader: dict[_Node, _Node] = {}

    def find(node: _Node) -> _Node:
        while (above := leader.setdefault(node, node)) != node:
            leader[node] = node = leader[above]
        return node

    for one, other in _links(sides, leaks):
        first, second = sorted((find(one), find(other)))
        leader[second] = first
    members: dict[_Node, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for node in sorted(leader):
        members[find(node)][node[0]].append(node[1])
    order = [side.name for side in sides]
    groups = [
        LookGroup(clips={part: clips_by_part[part] for part in order if part in clips_by_part})
        for clips_by_part in members.values()
        if len(clips_by_part) > 1
    ]
    return sorted(groups, key=lambda group: (-group.n_clips, sorted(group.clips.items())))


def _links(sides: Sequence[Side], leaks: Iterable[Leak]) -> Iterator[tuple[_Node, _Node]]:
    """Pairs that form the groups: each of several equal clips with the first."""
    firsts: dict[Hashable, _Node] = {}
    for side in sides:
        for clip in side.clips:
            node = (side.name, clip.clip_id)
            yield firsts.setdefault(("file", clip.sha256), node), node
        pictures = side.pictures
        for row, (clip_id, digest) in enumerate(zip(pictures.clip_ids, pictures.digests, strict=True)):
            if not pictures.flat[row]:
                node = (side.name, clip_id)
                yield firsts.setdefault(("picture", digest), node), node
    for leak in leaks:
        if leak.kind in LOOKS:
            yield (leak.first_part, leak.first), (leak.second_part, leak.second)
