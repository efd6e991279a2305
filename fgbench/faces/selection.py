"""Choice among several faces: pure functions on boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from fgbench.faces.geometry import Floats, box_centre, box_width

Policy = Literal["largest", "central", "track"]
"""Rule by which one of several faces is chosen.

- ``largest``: the largest. A tracked face is left for another only if that is clearly larger.
- ``central``: the one whose box is nearest to the middle of the frame; left for another likewise.
- ``track``: the largest at the start, and then that one for as long as it can be tracked.
"""


def rank(box_xyxy: Floats, size: tuple[int, int], *, policy: Policy) -> float:
    """Return the number by which faces are ordered, lower first; differences compare with ``ambiguity``.

    ``largest`` and ``track``: minus the logarithm of the area. ``central``: distance of the box's centre from
    the middle of the frame, in halves of its shorter side.

    Args:
        box_xyxy: (4,) px.
        size: Width and height of the frame in px.
        policy: Rule of the choice.
    """
    if policy == "central":
        middle = (np.array(size) - 1) / 2
        return float(np.linalg.norm(box_centre(box_xyxy) - middle)) / (min(size) / 2)
    return -2 * float(np.log(max(box_width(box_xyxy), 1e-6)))


def tolerance(policy: Policy, ambiguity: float) -> float:
    """Difference of ranks up to which two faces count as equal."""
    return ambiguity if policy == "central" else -float(np.log1p(-ambiguity))


def choose(
    boxes: Sequence[Floats],
    size: tuple[int, int],
    *,
    policy: Policy,
    ambiguity: float,
    held: int | None = None,
) -> int | None:
    """Return the index of the face that the policy selects; ``None`` if it cannot decide.

    Args:
        boxes: At least one box, (4,) px each.
        size: Width and height of the frame in px.
        policy: Rule of the choice.
        ambiguity: See :class:`fgbench.config.FacesConfig`.
        held: Index of the face that is tracked already. It is kept unless another one is clearly better;
            ``track`` never leaves it.
    """
    if held is not None and policy == "track":
        return held
    ranks = [rank(box, size, policy=policy) for box in boxes]
    best = min(range(len(ranks)), key=ranks.__getitem__)
    limit = ranks[best] + tolerance(policy, ambiguity)
    if held is not None and ranks[held] <= limit:
        return held
    if sum(value <= limit for value in ranks) > 1:
        return None if held is None else held
    return best
