"""Agreement of annotators: 100,000 clips with five votes each, of 5 and of 500 annotators.

Baselines: alpha without each of five annotators by the package krippendorff, one call each; kappa of their
pairs by scikit-learn, one call each. Before these, whose memory is not to count, all figures of ``fgbench
report --votes``, read from the table.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import krippendorff
import numpy as np
import pyarrow as pa
from sklearn.metrics import cohen_kappa_score

from fgbench import storage
from fgbench.evaluation.annotator_pairs import kappas
from fgbench.evaluation.ballots import Ballots
from fgbench.evaluation.left_out_annotators import alphas_without
from fgbench.records import schema
from fgbench.reports.votes.agreement import vote_figures
from fgbench.reports.votes.cast_votes import read_votes
from fgbench.taxonomy import leaves
from fgbench.workfolders.layout import MANIFESTS
from tests.support.plain_votes import as_matrix

N_CLIPS, GROUP, REPEATS = 100_000, 5, 3
CLASSES = [leaf.name for leaf in leaves()]


def main() -> None:
    """Print the tables."""
    print("| 100,000 clips, 500,000 votes | annotators | read, s | all figures, s | peak memory, MB |")
    print("|---|---:|---:|---:|---:|")
    for n_annotators in (GROUP, 500):
        with tempfile.TemporaryDirectory() as name:
            _write(Path(name), _ballots(n_annotators))
            begin = time.perf_counter()
            cast = read_votes(Path(name))
            read_s = time.perf_counter() - begin
            begin = time.perf_counter()
            vote_figures(cast)
            peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"| | {n_annotators} | {read_s:.1f} | {time.perf_counter() - begin:.1f} | {peak_mb:.0f} |")
    print()
    ballots = _ballots(GROUP)
    matrix = as_matrix(ballots)
    print("| 100,000 clips, 5 annotators | fgbench, s | one call each (baseline), s | ratio |")
    print("|---|---:|---:|---:|")
    _line("alpha without each annotator", lambda: alphas_without(ballots), lambda: _alphas(matrix))
    _line("kappa of each pair", lambda: kappas(ballots), lambda: _kappas(matrix))


def _line(what: str, ours: Callable[[], object], baseline: Callable[[], object]) -> None:
    own_s, other_s = _median_s(ours), _median_s(baseline)
    print(f"| {what} | {own_s:.2f} | {other_s:.2f} | {other_s / own_s:.1f} |")


def _median_s(run: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def _alphas(matrix: np.ndarray) -> list[float]:
    return [
        krippendorff.alpha(
            np.delete(matrix, one, axis=0),
            level_of_measurement="nominal",
            value_domain=list(range(len(CLASSES))),
        )
        for one in range(len(matrix))
    ]


def _kappas(matrix: np.ndarray) -> list[float]:
    return [cohen_kappa_score(matrix[one], matrix[other]) for one, other in combinations(range(GROUP), 2)]


def _ballots(n_annotators: int) -> Ballots:
    """Six of ten votes follow the clip; the five annotators of a clip are neighbours by number."""
    random = np.random.default_rng(0)
    units = np.repeat(np.arange(N_CLIPS), GROUP)
    first = random.integers(n_annotators - GROUP + 1, size=(N_CLIPS, 1))
    drawn = random.integers(len(CLASSES), size=units.size)
    return Ballots(
        units=units,
        annotators=(first + np.arange(GROUP)).ravel(),
        classes=np.where(random.random(units.size) < 0.6, units % len(CLASSES), drawn),
        n_units=N_CLIPS,
        n_annotators=n_annotators,
        n_classes=len(CLASSES),
    )


def _write(work: Path, ballots: Ballots) -> None:
    random = np.random.default_rng(1)
    n = len(ballots.units)
    labels = [CLASSES[one] for one in ballots.classes.tolist()]
    columns: dict[str, object] = {
        "clip_id": [f"clip{one:06d}" for one in ballots.units.tolist()],
        "annotator": [f"p{one:03d}" for one in ballots.annotators.tolist()],
        "round": np.ones(n, np.int16),
        "answer": ["class"] * n,
        "label": labels,
        "confidence": random.random(n),
        "key_time_s": random.normal(1, 0.2, n),
        "spent_s": random.uniform(5, 15, n),
        "settled": labels,
    }
    kinds = schema("votes")
    table = pa.table(
        {name: pa.array(columns.get(name, [None] * n), kinds.field(name).type) for name in kinds.names}
    )
    storage.write_table(work / MANIFESTS / "votes.parquet", table)
    index = {"dataset": "drawn", "synthetic": True, "files": {"votes.parquet": {"sha256": "0" * 64}}}
    storage.write_json(work / MANIFESTS / "index.json", index)


if __name__ == "__main__":
    main()
