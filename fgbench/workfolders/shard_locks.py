"""Shards of a preparation that are at work in a work folder, each held by one process.

Under ``shards/`` of the work folder are a lock for each shard, and while it is at work who holds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fgbench import storage
from fgbench.errors import ConfigError, ResourceError
from fgbench.storage.holders import Holder, read_holder

SHARDS = "shards"
"""Folder of the locks."""

_NAME = re.compile(r"([0-9]{1,7})-of-([0-9]{1,7})\.json")


@dataclass(frozen=True, slots=True)
class ShardAtWork:
    """A shard that a living process makes.

    Attributes:
        number: Its number, from 1.
        of: Number of shards.
        holder: The process.
    """

    number: int
    of: int
    holder: Holder


def shards_at_work(workdir: Path) -> list[ShardAtWork]:
    """Return the shards that living processes make, in their order."""
    found = []
    for path in (workdir / SHARDS).glob("*-of-*.json"):
        match = _NAME.fullmatch(path.name)
        holder = read_holder(path) if match is not None else None
        if match is not None and holder is not None and holder.is_alive:
            found.append(ShardAtWork(int(match[1]), int(match[2]), holder))
    return sorted(found, key=lambda one: (one.of, one.number))


def refuse_shards(workdir: Path) -> None:
    """Do nothing where no shard is at work.

    Raises:
        ResourceError: If one is.
    """
    for one in shards_at_work(workdir):
        raise ResourceError(
            f"shard {one.number}/{one.of} is at work in {workdir}: {one.holder}",
            "wait until all shards have ended, or choose another work folder",
        )


@contextmanager
def hold_shard(workdir: Path, number: int, of: int, facts: Mapping[str, str]) -> Iterator[None]:
    """Hold a shard for this process alone; called while the work folder is held.

    Args:
        workdir: The work folder.
        number: Number of the shard, from 1.
        of: Number of shards.
        facts: Identity of all that the results depend on, by name; the same for all shards.

    Raises:
        ConfigError: If shards are at work that are of another number, or differ in a fact.
        ResourceError: If another process makes this shard.
    """
    for one in shards_at_work(workdir):
        if one.of != of:
            raise ConfigError(
                f"shard {number}/{of}, but shard {one.number}/{one.of} is at work in {workdir}: {one.holder}",
                f"start all shards with the same number after the slash ({one.of})",
            )
        other = sorted(
            name for name in {*facts, *one.holder.facts} if facts.get(name) != one.holder.facts.get(name)
        )
        if other and one.number != number:
            that = f"shard {one.number}/{of}: {one.holder}"
            raise ConfigError(
                f"shard {number}/{of} has other {', '.join(other)} than {that}",
                "start all shards with the same recipe, the same data and the same versions of packages",
            )
    folder = workdir / SHARDS
    with storage.taken(
        folder / f"{number}-of-{of}.lock",
        folder / f"{number}-of-{of}.json",
        f"another fgbench process makes shard {number}/{of} of {workdir}",
        facts=facts,
    ):
        yield
