"""Shards: shares of a preparation's buckets, for processes that each make one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fgbench.errors import ArgumentError, ConfigError


@dataclass(frozen=True, slots=True)
class Shard:
    """One share of the buckets.

    Attributes:
        number: Its number, from 1.
        of: Number of shards.
    """

    number: int
    of: int

    def has(self, bucket: int) -> bool:
        """Return whether a bucket is of this shard; each is of exactly one, whatever the data."""
        return self.owner(bucket) == self.number

    def owner(self, bucket: int) -> int:
        """Return the number of the shard that a bucket is of."""
        return bucket % self.of + 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def read_shard(text: str) -> Shard:
    """Read ``K/N``.

    Raises:
        ArgumentError: If it is no pair of numbers with 1 <= K <= N.
    """
    match = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,7})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ArgumentError(
            f"got {text!r}, expected K/N, shard K of N, with K from 1 to N",
            "name each of 1/N, 2/N, ... N/N once, e.g. 1/3, 2/3 and 3/3",
            argument="shard",
        )
    return Shard(int(match[1]), int(match[2]))


def check_number(shard: Shard, n_buckets: int) -> None:
    """Do nothing where there is a bucket for each shard.

    Raises:
        ConfigError: If there are fewer buckets than shards.
    """
    if shard.of > n_buckets:
        raise ConfigError(
            f"{shard.of:,} shards of {n_buckets:,} buckets, expected at most one shard for each bucket",
            "take fewer shards, or raise buckets in the recipe, before anything is prepared",
        )
