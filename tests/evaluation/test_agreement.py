"""Agreement of annotators: published examples, and alpha counted pair by pair."""

import itertools

import numpy as np
import pytest

from fgbench.evaluation import agreement
from fgbench.evaluation.agreement import class_agreement, nominal_agreement, numeric_agreement

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C: four observers, twelve units.
PUBLISHED = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


def published():
    observers = [line.split() for line in PUBLISHED.strip().splitlines()]
    return [[value for value in unit if value != "."] for unit in zip(*observers, strict=True)]


def alone(units):
    """Every unit a cluster of its own."""
    return [f"u{index}" for index in range(len(units))]


def by_pairs(units, distance):
    """Alpha from its definition: mean distance within units, weighted, over that of all pairs."""
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]
    n = len(values)
    observed = sum(
        distance(one, other) / (len(unit) - 1)
        for unit in units
        for one, other in itertools.permutations(unit, 2)
    )
    expected = sum(distance(one, other) for one, other in itertools.permutations(values, 2))
    return 1 - (observed / n) / (expected / (n * (n - 1)))


def nominal(one, other):
    return float(one != other)


def interval(one, other):
    return float(one - other) ** 2


def drawn_units(seed, n_units=25, labels="abcd"):
    random = np.random.default_rng(seed)
    return [
        [labels[random.integers(len(labels))] if random.random() < 0.4 else labels[index % len(labels)]
         for _ in range(random.integers(0, 7))]
        for index in range(n_units)
    ]  # fmt: skip


def test_the_published_nominal_alpha():
    actual = nominal_agreement(published(), clusters=alone(published()))
    assert actual.alpha == pytest.approx(0.743, abs=5e-4)
    assert (actual.n_units, actual.n_values, actual.n_clusters) == (11, 40, 11)


def test_the_published_interval_alpha():
    units = [[float(value) for value in unit] for unit in published()]
    assert numeric_agreement(units, clusters=alone(units)).alpha == pytest.approx(0.849, abs=5e-4)


def test_the_published_alpha_of_two_observers():
    """Example A of the same text: ten units, two values each, alpha 0.095."""
    units = list(zip("0100000010", "1110010000", strict=True))
    assert nominal_agreement(units, clusters=alone(units)).alpha == pytest.approx(0.095, abs=5e-4)


@pytest.mark.parametrize("seed", range(8))
def test_alpha_is_that_of_the_definition(seed):
    units = drawn_units(seed)
    assert nominal_agreement(units, clusters=alone(units)).alpha == pytest.approx(
        by_pairs(units, nominal), abs=1e-12
    )
    for name, one in class_agreement(units, clusters=alone(units)).items():
        against = [[label == name for label in unit] for unit in units]
        assert one.alpha == pytest.approx(by_pairs(against, nominal), abs=1e-12)
    numbers = [[1e6 + 3.5 * "abcd".index(label) for label in unit] for unit in units]
    assert numeric_agreement(numbers, clusters=alone(numbers)).alpha == pytest.approx(
        by_pairs(numbers, interval), abs=1e-9
    )


def test_the_interval_is_between_percentiles_of_alphas_of_drawn_clusters(monkeypatch):
    """The draws are made again unit by unit, and alpha is counted pair by pair."""
    from scipy.stats import norm, t

    monkeypatch.setattr(agreement, "N_RESAMPLES", 40)
    units = drawn_units(3, n_units=12)
    clusters = [f"c{index % 5}" for index in range(len(units))]
    actual = nominal_agreement(units, clusters=clusters, seed=7)
    kept = sorted({name for name, unit in zip(clusters, units, strict=True) if len(unit) > 1})
    alphas = []
    for chosen in np.random.default_rng(7).integers(len(kept), size=(40, len(kept))):
        drawn = [
            unit for row in chosen for unit, name in zip(units, clusters, strict=True) if name == kept[row]
        ]
        alphas.append(by_pairs(drawn, nominal))
    end = norm.cdf(np.sqrt(5 / 4) * t.ppf(0.975, 4))
    low, high = np.quantile(alphas, [1 - end, end])
    assert (actual.low, actual.high) == (pytest.approx(low, abs=1e-12), pytest.approx(high, abs=1e-12))
    assert actual.n_clusters == 5


def test_many_clusters_are_drawn_in_groups_and_the_interval_stays(monkeypatch):
    """Of 600 clusters, 200 groups: alpha is the same, and the interval as wide but for chance."""
    units = [unit for seed in range(24) for unit in drawn_units(seed)]
    one_by_one = nominal_agreement(units, clusters=alone(units))
    monkeypatch.setattr(agreement, "MOST_DRAWN", 200)
    grouped = nominal_agreement(units, clusters=alone(units))
    assert (grouped.alpha, grouped.n_clusters) == (one_by_one.alpha, one_by_one.n_clusters)
    assert grouped.low != one_by_one.low
    width = one_by_one.high - one_by_one.low
    assert grouped.high - grouped.low == pytest.approx(width, rel=0.2)


@pytest.mark.slow
def test_intervals_of_eight_clusters_cover_what_they_are_of(monkeypatch):
    """95 % are wanted; plain percentiles of these draws cover 91 %."""
    monkeypatch.setattr(agreement, "N_RESAMPLES", 300)
    random = np.random.default_rng(0)

    def annotated(n_clusters):
        ease = 0.8 + random.normal(0, 0.8, n_clusters)[:, None] + random.normal(0, 1.0, (n_clusters, 8))
        truth = random.integers(7, size=(n_clusters, 8, 1))
        known = random.random((n_clusters, 8, 5)) < 1 / (1 + np.exp(-ease))[..., None]
        votes = np.where(known, truth, random.integers(7, size=(n_clusters, 8, 5)))
        units = [[str(label) for label in unit] for unit in votes.reshape(-1, 5)]
        return units, [str(index // 8) for index in range(len(units))]

    units, _ = annotated(2000)
    truth = nominal_agreement(units, clusters=["all"] * len(units)).alpha
    hits = 0
    for seed in range(150):
        units, clusters = annotated(8)
        actual = nominal_agreement(units, clusters=clusters, seed=seed)
        hits += actual.low <= truth <= actual.high
    assert 0.92 <= hits / 150 <= 0.99


def test_all_who_agree_have_alpha_one_and_chance_has_zero():
    same = [["a"] * 5, ["b"] * 5, ["c"] * 4]
    actual = nominal_agreement(same, clusters=alone(same))
    assert (actual.alpha, actual.low, actual.high) == (1.0, 1.0, 1.0)
    random = np.random.default_rng(1)
    units = [list(map(str, random.integers(4, size=5))) for _ in range(2000)]
    assert nominal_agreement(units, clusters=["x"] * 2000).alpha == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("units", [[], [["a"]], [["a", "a"], ["a", "a", "a"]], [["a"], ["b"]], [[], []]])
def test_what_is_not_defined_is_blank(units):
    actual = nominal_agreement(units, clusters=alone(units))
    assert (actual.alpha, actual.low, actual.high) == (None, None, None)
    numbers = [[{"a": 0.1, "b": 0.7}[label] for label in unit] for unit in units]
    assert numeric_agreement(numbers, clusters=alone(numbers)).alpha is None


def test_one_cluster_has_no_interval():
    units = drawn_units(0)
    actual = nominal_agreement(units, clusters=["one"] * len(units))
    assert actual.alpha is not None
    assert (actual.low, actual.high, actual.n_clusters) == (None, None, 1)


def test_clusters_that_are_not_one_per_unit_are_refused():
    with pytest.raises(ValueError, match="1 clusters of 2 units"):
        nominal_agreement([["a", "b"], ["a", "a"]], clusters=["x"])


def test_several_measures_at_once_are_as_each_alone():
    units, numbers = drawn_units(3, 60), [[float(index % 7), float(index % 5)] for index in range(60)]
    clusters = [f"c{index % 9}" for index in range(60)]
    few = [f"c{index % 4}" for index in range(60)]
    (whole, *each), (number,), (other,) = agreement.agreements_of(
        [
            agreement.LabelMeasure(units, clusters),
            agreement.NumberMeasure(numbers, clusters),
            agreement.NumberMeasure(numbers, few),
        ]
    )
    assert whole == nominal_agreement(units, clusters=clusters)
    assert each == list(class_agreement(units, clusters=clusters).values())
    assert number == numeric_agreement(numbers, clusters=clusters)
    assert other == numeric_agreement(numbers, clusters=few)
    assert number != other
