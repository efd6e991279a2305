"""Votes: how many clips each rule settles and how many of them rightly, and the time of 100,000 clips.

Annotators are drawn with known reliability (`tests/support/drawn_annotators.py`): of twelve seven are
careful, two take classes for each other, one is lazy and two answer anything. The baseline of the rules is
the majority. The clips of the second table do not exist as files: listing (each is reported as missing),
agreement and settling are measured, not the reading of videos. Every clip is a cluster of its own, the worst
case of the bootstrap.
"""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.config import ConsensusConfig
from fgbench.config.settling_rules import rule_names
from fgbench.preparation import settling
from fgbench.preparation.settling._probabilities import NO_VOTES, fitted_choices
from fgbench.preparation.settling._rule import collected
from fgbench.preparation.stages.consensus import rules_of
from fgbench.preparation.voting import settle
from fgbench.records import Vote
from tests.support.clip_folders import LABELS
from tests.support.drawn_annotators import cast, mixed_group

SEEDS = range(5)
N_CLASSES = 7
N_DRAWN = 400
N_CLIPS, PER_CLIP, N_ANNOTATORS = 100_000, 5, 60
LIMIT_S, LIMIT_MB = 60, 1500


def main() -> None:
    """Print both tables."""
    _print_rules()
    print()
    _print_sizes()


def _print_rules() -> None:
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


def _print_sizes() -> None:
    print(
        f"| {N_CLIPS:,} clips of {len(LABELS)} classes, {PER_CLIP} votes of {N_ANNOTATORS} annotators | time "
        "| computing time | peak RSS so far |"
    )
    print("|---|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        _write_votes(root)
        code = "from tests.performance.bench_votes import steps; import sys; steps(sys.argv[1], sys.argv[2])"
        for rule in ("paper", "dawid-skene"):
            command = [sys.executable, "-c", code, str(root), rule]
            subprocess.run(command, check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    print()
    print(
        f"The steps of a rule together are to take at most {LIMIT_S} s of a free machine and {LIMIT_MB:,} "
        f"MB. The computing time is that of all threads: this machine had a load of {os.getloadavg()[2]:.0f} "
        f"on {os.cpu_count()} cores in the last quarter of an hour."
    )


def steps(folder: str, rule: str) -> None:
    """Measure the steps in this process and print a row for each.

    Args:
        folder: Root of the data set.
        rule: Name of the rule.
    """
    import pyarrow as pa

    from fgbench import records, storage
    from fgbench.datasets import fg_emotions
    from fgbench.preparation.stages._votes import cast_votes, read_annotation

    root, total = Path(folder), _Clock(0.0, 0.0)

    def measured(title: str, step: Callable[[], Any]) -> Any:
        nonlocal total
        begin = _Clock.now()
        value = step()
        took = _Clock.now() - begin
        total += took
        _row(title, took)
        return value

    table = root / "ingest.parquet"
    entries = measured(f"{rule}: list the clips of votes.csv", lambda: fg_emotions.list_clips(root))
    schema = records.schema("ingest")
    empty = dict.fromkeys(schema.names)
    writer = storage.TableWriter(table, schema)
    for entry in entries:
        votes = [asdict(vote) for vote in entry.votes]
        writer.add({**empty, "clip_id": entry.clip_id, "scheme": "fg33", "votes": votes})
    writer.close()
    del entries
    pa.default_memory_pool().release_unused()
    annotation = measured(f"{rule}: agreement with intervals", lambda: read_annotation([table], ()))
    assert annotation.rounds[1].whole.n_votes == N_CLIPS * PER_CLIP
    settled = measured(f"{rule}: settle", lambda: _settled(rule, cast_votes(table)))
    assert len(settled) == N_CLIPS
    _row(f"{rule}: together", total)


@dataclass(frozen=True)
class _Clock:
    """Seconds on the wall, and of computing in all threads."""

    wall_s: float
    cpu_s: float

    @classmethod
    def now(cls) -> _Clock:
        return cls(time.perf_counter(), time.process_time())

    def __add__(self, other: _Clock) -> _Clock:
        return _Clock(self.wall_s + other.wall_s, self.cpu_s + other.cpu_s)

    def __sub__(self, other: _Clock) -> _Clock:
        return _Clock(self.wall_s - other.wall_s, self.cpu_s - other.cpu_s)


def _row(title: str, took: _Clock) -> None:
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {title} | {took.wall_s:.1f} s | {took.cpu_s:.1f} s | {peak_mb:.0f} MB |", flush=True)


def _write_votes(root: Path) -> None:
    generator = np.random.default_rng(0)
    (root / "videos").mkdir()
    with (root / "votes.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "annotator", "label", "confidence", "key_frame", "round"])
        for number in range(N_CLIPS):
            true, centre = generator.integers(len(LABELS)), generator.integers(10, 60)
            for who in generator.choice(N_ANNOTATORS, PER_CLIP, replace=False):
                label = true if generator.random() < 0.75 else generator.integers(len(LABELS))
                confidence, frame = generator.uniform(0.4, 1.0), centre + generator.integers(-4, 5)
                clip = f"film{number % 997:03d}/c{number:06d}.mp4"
                writer.writerow([clip, f"n{who:02d}", LABELS[label], f"{confidence:.1f}", frame, 1])
