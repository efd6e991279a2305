"""Levels of classes above those of a data set."""

import pytest

from fgbench.errors import ConfigError, DatasetError
from fgbench.runs.labels import LabelSet, fg33
from fgbench.runs.levels import at_level, level_above, six_of
from fgbench.runs.roles import Roles
from fgbench.runs.samples import Sample

SIX = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
SEVEN = LabelSet(name="seven", labels=(*SIX, "neutral"))


def sample(number, label):
    return Sample(sample_id=f"s{number}", clip_id=f"c{number}", subject_id=None, label=label, part="test")


def test_leaves_count_as_their_upper_class():
    level = level_above(LabelSet(name="ekman6", labels=SIX), fg33())
    assert (level.name, level.classes, level.truth["panic"]) == ("ekman6", SIX, "fear")
    assert level.truth["disgust"] == "disgust"
    assert level_above(fg33(), fg33()) is None
    assert level_above(LabelSet(name="three", labels=("a", "b", "c")), fg33()) is None


def test_six_classes_on_seven_leave_the_seventh_out():
    level = level_above(LabelSet(name="ekman6", labels=SIX), SEVEN)
    roles = Roles(
        train=(),
        selection=(),
        predicted=[sample(0, "anger"), sample(1, "neutral")],
        test=[sample(0, "anger"), sample(1, "neutral"), sample(2, "neutral")],
    )
    kept, dropped = at_level(roles, level)
    assert [one.label for one in kept.predicted] == ["anger"]
    assert (len(kept.test), dropped) == (1, {"neutral": 2})
    assert level_above(SEVEN, LabelSet(name="ekman6", labels=SIX)) is None


def test_data_without_a_counterpart():
    with pytest.raises(ConfigError, match="none of the six classes"):
        six_of(LabelSet(name="other", labels=("calm", "bored")))
    level = six_of(SEVEN)
    roles = Roles(train=(), selection=(), predicted=[sample(0, "neutral")], test=[sample(0, "neutral")])
    with pytest.raises(DatasetError, match="no test sample has a class of ekman6"):
        at_level(roles, level)
