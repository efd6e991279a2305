"""Numbered cases: how many there are, what each is drawn from, and how a failing one is made again."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pytest

SEED = 20_240_601
"""Seed of all campaigns unless another is asked for."""

SIZES: Mapping[str, Mapping[str, int]] = {
    "media": {"short": 18, "long": 520},
    "pictures": {"short": 12, "long": 220},
    "tables": {"short": 10, "long": 160},
    "recipes": {"short": 10, "long": 150},
    "damage": {"short": 3, "long": 130},
    "kills": {"short": 1, "long": 20},
}
"""Campaign to number of cases; of kills, per command."""

_AGAIN = "pytest tests/campaigns/{}.py --campaign-case {}"


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One case of a campaign; all of it follows from these three.

    Attributes:
        kind: Name of the campaign.
        seed: Seed of the campaign.
        number: TrainingContext in the campaign.
    """

    kind: str
    seed: int
    number: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.seed}:{self.number}"

    def random(self, purpose: str = "") -> random.Random:
        """Generator of this case, another one for each purpose."""
        return random.Random(f"{self}:{purpose}")

    @property
    def name(self) -> str:
        """Name that files of this case bear."""
        return f"case{self.number:04d}"


def parse(text: str) -> Case:
    """Case of ``KIND:SEED:NUMBER``."""
    kind, seed, number = text.split(":")
    if kind not in SIZES:
        raise pytest.UsageError(f"--campaign-case {text!r}: expected one of {', '.join(SIZES)}")
    return Case(kind, int(seed), int(number))


def chosen(config: pytest.Config, kind: str) -> list[Case]:
    """Cases of a campaign that are asked for: all of its size, or the one of ``--campaign-case``."""
    asked = config.getoption("--campaign-case")
    if asked:
        case = parse(asked)
        if case.kind != kind:
            pytest.skip(f"only {case} is asked for")
        return [case]
    size = config.getoption("--campaign-size")
    seed = config.getoption("--campaign-seed")
    return [Case(kind, SEED if seed is None else seed, number) for number in range(SIZES[kind][size])]


def batches(cases: Sequence[Case], size: int) -> list[list[Case]]:
    """Cases in groups of at most ``size``."""
    return [list(cases[begin : begin + size]) for begin in range(0, len(cases), size)]


def expect_none(faults: Mapping[Case, Iterable[str]], module: str) -> None:
    """Fail where any case has a fault, with the command that makes the case again.

    Args:
        faults: Every case that was tried, and what was wrong with it.
        module: Module of the campaign.
    """
    failed = {case: list(one) for case, one in sorted(faults.items())}
    lines = [
        "\n".join(
            [f"{case}", *(f"    {fault}" for fault in one), f"    again: {_AGAIN.format(module, case)}"]
        )
        for case, one in failed.items()
        if one
    ]
    if lines:
        pytest.fail(f"{len(lines)} of {len(failed)} cases\n" + "\n".join(lines), pytrace=False)
