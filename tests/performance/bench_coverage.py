"""Intervals and tests of results on made-up data: how often a nominal 95 % interval covers the truth, and how
often a test of two equally good runs is significant at 0.05.

Subjects differ in how easily they are recognised, and so do clips (standard deviations on the logit); a clip
gives eight images. Every data set is drawn anew. The baseline is the percentile bootstrap of whole subjects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from fgbench.evaluation.cluster_counts import ClusterCounts
from fgbench.evaluation.paired import mcnemar, paired_interval
from fgbench.evaluation.permutation import permutation_test
from fgbench.evaluation.significance import seeds_interval

N_SETS = 500
N_DRAWS = 500
N_IMAGES = 8
N_SEEDS = 3
SUBJECT_SD, CLIP_SD, SEED_SD = 0.8, 1.5, 0.35
LEAST_COVERAGE = 0.92
MOST_FALSE = 0.07
GUIDE_FROM = 20  # subjects from which paired intervals have to keep the limit

DESIGNS = {
    "33 classes, 4 per subject": (33, 4),
    "33 classes, all of every subject": (33, 33),
    "7 classes, all of every subject": (7, 7),
}
SUBJECTS = (8, 20, 60)


@dataclass(frozen=True)
class Design:
    """Clips of a data set: subject and class of each, and the true recall of each class."""

    n_subjects: int
    n_classes: int
    subject: np.ndarray
    label: np.ndarray
    base: np.ndarray

    def counts(self, right: np.ndarray) -> ClusterCounts:
        """Counts from the number of images that are right in each clip."""
        shape = (self.n_subjects, self.n_classes)
        result, true = np.zeros(shape), np.zeros(shape)
        np.add.at(result, (self.subject, self.label), right)
        np.add.at(true, (self.subject, self.label), N_IMAGES)
        names = tuple(f"s{index:02d}" for index in range(self.n_subjects))
        return ClusterCounts(names=names, right=result, true=true, guessed=true)

    def draw(self, generator: np.random.Generator, seed_effect: float = 0.0) -> np.ndarray:
        """Images right in each clip of a run."""
        effect = generator.normal(0, SUBJECT_SD, self.n_subjects)[self.subject]
        effect += generator.normal(0, CLIP_SD, self.subject.size) + seed_effect
        return generator.binomial(N_IMAGES, 1 / (1 + np.exp(-(self.base[self.label] + effect))))

    def truth(self) -> float:
        """Mean over the classes shown of the chance to be right."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(60)
        logits = self.base[:, None] + np.hypot(SUBJECT_SD, CLIP_SD) * nodes
        recalls = (1 / (1 + np.exp(-logits))) @ weights / weights.sum()
        return float(recalls[np.unique(self.label)].mean())


def main() -> None:
    """Print coverage of intervals, and errors of tests."""
    rows = [_measured(name, n_subjects) for name in DESIGNS for n_subjects in SUBJECTS]
    print("| 95 % interval covers the UAR | subjects | percentile bootstrap (baseline) | jackknife, t |")
    print("|---|---:|---:|---:|")
    for row in rows:
        print(f"| {row['design']} | {row['n']} | {row['bootstrap']:.3f} | {row['jackknife']:.3f} |")
    print()
    print(
        "| equally good runs: share told apart at 0.05 | subjects | paired interval | permutation test | "
        "McNemar, binomial (baseline) | McNemar, clusters | one seed each of methods that vary by seed "
        f"(baseline) | {N_SEEDS} seeds each of these |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        reported = [row[key] for key in ("paired", "permutation", "binomial", "mcnemar", "fixed", "seeds")]
        print(f"| {row['design']} | {row['n']} | {' | '.join(f'{value:.3f}' for value in reported)} |")
    print()
    print(
        f"{N_SETS} data sets each: Monte Carlo error up to 0.012 of coverage, 0.01 of 0.05. Coverage is to "
        f"be at least {LEAST_COVERAGE:g}, the paired interval to err at most {MOST_FALSE:g} from "
        f"{GUIDE_FROM} subjects on."
    )
    low = [row for row in rows if row["jackknife"] < LEAST_COVERAGE]
    false = [row for row in rows if row["n"] >= GUIDE_FROM and row["paired"] > MOST_FALSE]
    print(f"{len(low)} designs below the first limit, {len(false)} above the second.")


def _design(name: str, n_subjects: int) -> Design:
    n_classes, n_shown = DESIGNS[name]
    clips = 3 if n_shown < n_classes else 1
    subject = np.repeat(np.arange(n_subjects), n_shown * clips)
    label = np.repeat(np.arange(n_subjects * n_shown) % n_classes, clips)
    base = np.linspace(-2.0, 0.8, n_classes)[np.random.default_rng(5).permutation(n_classes)]
    return Design(n_subjects, n_classes, subject, label, base)


def _measured(name: str, n_subjects: int) -> dict[str, float | str | int]:
    generator = np.random.default_rng(n_subjects)
    design = _design(name, n_subjects)
    truth = design.truth()
    actual = dict.fromkeys(
        ("bootstrap", "jackknife", "paired", "permutation", "binomial", "mcnemar", "fixed", "seeds"), 0
    )
    for _ in range(N_SETS):
        first, second = design.draw(generator), design.draw(generator)
        one, other = design.counts(first), design.counts(second)
        low, high = _percentiles(one, generator)
        actual["bootstrap"] += low <= truth <= high
        interval = seeds_interval([one], metric="uar")
        actual["jackknife"] += interval.low <= truth <= interval.high
        actual["paired"] += _apart(paired_interval([one], [other]))
        actual["permutation"] += permutation_test(one, other, n_permutations=999).p <= 0.05
        right = [(np.arange(N_IMAGES) < run[:, None]).ravel() for run in (first, second)]
        clusters = [one.names[index] for index in np.repeat(design.subject, N_IMAGES)]
        test = mcnemar(*right, clusters=clusters, n_permutations=999)
        actual["mcnemar"] += test.p <= 0.05
        n = test.only_first + test.only_second
        actual["binomial"] += n > 0 and binomtest(test.only_first, n, 0.5).pvalue <= 0.05
        seeds = [
            design.counts(design.draw(generator, effect))
            for effect in generator.normal(0, SEED_SD, 2 * N_SEEDS)
        ]
        actual["fixed"] += permutation_test(seeds[0], seeds[N_SEEDS], n_permutations=999).p <= 0.05
        actual["seeds"] += _apart(paired_interval(seeds[:N_SEEDS], seeds[N_SEEDS:]))
    return {"design": name, "n": n_subjects, **{key: value / N_SETS for key, value in actual.items()}}


def _apart(difference: object) -> bool:
    return not difference.low <= 0 <= difference.high  # type: ignore[attr-defined]


def _percentiles(counts: ClusterCounts, generator: np.random.Generator) -> np.ndarray:
    """Ends of the percentile interval of the UAR, whole subjects drawn."""
    n = len(counts.names)
    times = generator.multinomial(n, np.full(n, 1 / n), N_DRAWS).astype(float)
    right, true = times @ counts.right, times @ counts.true
    shares = np.divide(right, true, out=np.zeros_like(right), where=true > 0)
    return np.quantile(shares.sum(axis=1) / (true > 0).sum(axis=1), [0.025, 0.975])
