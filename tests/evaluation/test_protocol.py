"""Roles of samples."""

import pytest

from fgbench.errors import ConfigError
from fgbench.runs.protocol import Protocol, refuse_shared_parts

ROLES = {"train": ["train"], "selection": ["val"], "test": ["test"]}


def protocol(**change):
    sets = {"train": frozenset("ab"), "selection": frozenset("c"), "test": frozenset("de")}
    return Protocol(name="p", **(sets | change))


@pytest.mark.parametrize(("role", "doing"), [("train", "trains on"), ("selection", "selects on")])
def test_test_samples_have_no_other_role(role, doing):
    with pytest.raises(ConfigError, match=f"protocol p, fold 0 {doing} 1 test samples, e.g. 'd'"):
        protocol(**{role: frozenset("cd")})


def test_a_part_cannot_be_both_selection_and_test():
    with pytest.raises(ConfigError, match="part 'test' is both selection and test"):
        refuse_shared_parts("p", **ROLES | {"selection": ["test"]})
    with pytest.raises(ConfigError, match="part 'train' is both train and test"):
        refuse_shared_parts("p", **ROLES | {"test": ["train", "test"]})


def test_choosing_on_test_samples_is_refused():
    made = protocol()
    made.check_selection("c")
    made.check_selection("abc")
    with pytest.raises(ConfigError, match=r"selects on 1 test samples, e.g. 'e'"):
        made.check_selection("ce")
    with pytest.raises(ConfigError, match=r"1 samples outside its selection and training sets, e.g. 'x'"):
        made.check_selection("cx")


def test_training_samples_may_be_chosen_on_and_selection_may_be_empty():
    assert protocol(selection=frozenset("ab")).selection == frozenset("ab")
    assert protocol(selection=frozenset()).selection == frozenset()


def test_roles_without_samples_are_refused():
    with pytest.raises(ConfigError, match="no test samples"):
        protocol(test=frozenset())
    with pytest.raises(ConfigError, match="no train samples"):
        protocol(train=frozenset())
