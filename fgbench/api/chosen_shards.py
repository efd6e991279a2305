"""The shard of a preparation, from what is given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import shown
from fgbench.errors import ArgumentError

if TYPE_CHECKING:
    from fgbench.preparation.shards import Shard


def chosen_shard(value: Any) -> Shard | None:
    """Return the shard that a text names; ``None`` for ``None``.

    Raises:
        ArgumentError: If it is no text ``K/N`` with 1 <= K <= N.
    """
    from fgbench.preparation.shards import read_shard

    if value is None:
        return None
    if not isinstance(value, str):
        raise ArgumentError(
            f"got {shown(value)}, expected the text 'K/N', shard K of N", "e.g. shard='1/3'", argument="shard"
        )
    return read_shard(value)


def alone(shard: Any, switches: Mapping[str, bool]) -> None:
    """Do nothing where none of the switches is on, which are about all clips.

    Raises:
        ArgumentError: If one is.
    """
    for name, is_on in switches.items():
        if is_on:
            raise ArgumentError(
                f"got {shown(shard)} with {name}, which is about all clips, expected one of them",
                f"give {name} without --shard",
                argument="shard",
            )


def waiting_time(value: Any, shard: Any, *, default: float) -> float:
    """Return the seconds that a shard waits for those that are not at work.

    Raises:
        ArgumentError: If it is no number of 0 or more, or there is no shard.
    """
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ArgumentError(f"got {shown(value)}, expected seconds, 0 or more", argument="shard_wait_s")
    if shard is None:
        raise ArgumentError(
            "given without a shard, expected with one", "add --shard K/N", argument="shard_wait_s"
        )
    return float(value)
