"""Votes: how many clips each rule settles, and how many of them rightly.

Annotators are drawn with known reliability (`tests/support/drawn_annotators.py`): of twelve seven are
careful, two take classes for each other, one is lazy and two answer anything. The baseline of the rules is
the majority. The time of 100,000 clips is in the benchmark ``annotation``.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import numpy as np

from fgbench.config import ConsensusConfig
from fgbench.config.settling_rules import rule_names
from fgbench.preparation import settling
from fgbench.preparation.settling._probabilities import NO_VOTES, fitted_choices
from fgbench.preparation.stages.consensus import rules_of
from fgbench.preparation.voting import settle
from fgbench.records import Vote
from tests.support.clip_folders import LABELS
from tests.support.collected_votes import collected
from tests.support.drawn_annotators import cast, mixed_group

SEEDS = range(5)
N_CLASSES = 7
N_DRAWN = 400
PER_CLIP = 5


def main() -> None:
    """Print the table."""
    names = ["majority", *(name for name in rule_names() if name != "majority")]
    measured = {name: [_of_rule(name, seed) for seed in SEEDS] for name in names}
    base = np.mean([settled * right for settled, right, _ in measured["majority"]])
    print(
        f"| rule, {N_DRAWN} clips of {N_CLASSES} classes, {PER_CLIP} votes of 12 annotators | clips settled "
        "| of these right | range over seeds | settled rightly, of all | ratio to the majority's | time |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in names:
        settled, right, seconds = (np.array(column) for column in zip(*measured[name], strict=True))
        title = f"{name} (baseline)" if name == "majority" else name
        of_all = (settled * right).mean()
        print(
            f"| {title} | {settled.mean():.1%} | {right.mean():.1%} | {right.min():.1%} to {right.max():.1%} "
            f"| {of_all:.1%} | {of_all / base:.2f} | {np.median(seconds):.1f} s |"
        )
    print()
    print(f"Means of {len(SEEDS)} draws; times are medians. Votes without key frames and confidence.")


def _of_rule(name: str, seed: int) -> tuple[float, float, float]:
    """Share of clips settled, share of these that are right, and seconds."""
    generator = np.random.default_rng(seed)
    labels = LABELS[:N_CLASSES]
    true = generator.integers(N_CLASSES, size=N_DRAWN)
    of_clips = cast(true, mixed_group(N_CLASSES, generator), labels, generator)
    begin = time.perf_counter()
    chosen = _settled(name, of_clips)
    seconds = time.perf_counter() - begin
    right = [
        chosen[clip_id] == labels[label]
        for (clip_id, _), label in zip(of_clips, true, strict=True)
        if chosen[clip_id] is not None
    ]
    return len(right) / N_DRAWN, float(np.mean(right)), seconds


def _settled(name: str, of_clips: Iterable[tuple[str, list[Vote]]]) -> dict[str, str | None]:
    """Clip to the label that a rule settles, ``None`` if it is voted on again."""
    config = ConsensusConfig(rule=name)
    rule, rules = settling.load(name), rules_of(config, None)
    kept = list(of_clips)
    fitted = {} if rule.fit is None else fitted_choices(rule, collected(kept), config.min_certainty)
    labels: dict[str, str | None] = {}
    for clip_id, votes in kept:
        choice = fitted.get(clip_id, NO_VOTES) if rule.choose is None else rule.choose(votes, rules.min_votes)
        decision = settle(votes, rules, choice)
        labels[clip_id] = decision.label if decision.status == "settled" else None
    return labels


if __name__ == "__main__":
    main()
