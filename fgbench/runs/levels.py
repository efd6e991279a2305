"""Classes above those of a data set, at which networks of them are tested: six of the 33 leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fgbench.errors import ConfigError, DatasetError
from fgbench.runs.class_names import Level, levels_of
from fgbench.runs.labels import FG33, SOME_LEAVES, LabelSet
from fgbench.runs.roles import Roles
from fgbench.runs.zero_shot import six
from fgbench.taxonomy import normal_label, ontology


def level_above(labels: LabelSet, data: LabelSet) -> Level | None:
    """Return the level of a data set whose classes a network tells; ``None`` where it is none above its own.

    Args:
        labels: Classes of the network.
        data: Classes of the data set.
    """
    if {*data.labels} <= {*labels.labels}:
        return None
    for level in levels_of(data):
        if level.is_upper and {*level.classes} == {*labels.labels}:
            return level
    if {*labels.labels} == {*six()} and _truth_of_six(data):
        return six_of(data)
    return None


def six_of(labels: LabelSet) -> Level:
    """Return Ekman's six as the level of a data set; samples of other classes have no counterpart.

    Raises:
        ConfigError: If it has none of them.
    """
    classes, truth = six(), _truth_of_six(labels)
    if not truth:
        raise ConfigError(
            f"data set of {labels.name} has none of the six classes {', '.join(classes)}",
            "leave level: six out of the recipe",
        )
    return Level(name="ekman6", classes=classes, truth=truth, is_upper=truth.keys() != {*classes})


def _truth_of_six(labels: LabelSet) -> Mapping[str, str]:
    if labels.name in (FG33, SOME_LEAVES):
        of_leaf = ontology("ekman6").from_leaf
        return {leaf: of_leaf[leaf] for leaf in labels.labels if leaf in of_leaf}
    return {label: normal_label(label) for label in labels.labels if normal_label(label) in six()}


def at_level(roles: Roles, level: Level) -> tuple[Roles, dict[str, int]]:
    """Return the roles with the test samples in the classes of a level, and the number left out by class.

    Raises:
        DatasetError: If none is left.
    """
    dropped: dict[str, int] = {}
    for sample in roles.test:
        if sample.label not in level.truth:
            dropped[sample.label] = dropped.get(sample.label, 0) + 1
    test, predicted = (
        [replace(one, label=level.truth[one.label]) for one in samples if one.label in level.truth]
        for samples in (roles.test, roles.predicted)
    )
    if not predicted:
        raise DatasetError(
            f"no test sample has a class of {level.name}, expected some", "take another data set"
        )
    return replace(roles, test=test, predicted=predicted), dict(sorted(dropped.items()))
