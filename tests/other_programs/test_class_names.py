"""Classes of programs as those of data sets: spellings, levels, what is told, what is refused."""

import pytest

from fgbench.api.scored_files import mapping_of
from fgbench.errors import ConfigError, DatasetError
from fgbench.runs.class_names import match_classes
from fgbench.runs.labels import LabelSet, fg33
from fgbench.taxonomy import ontology

DEEPFACE = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
EKMAN6 = LabelSet(name="ekman6", labels=ontology("ekman6").labels)


def matched(names, labels, **reported):
    return match_classes(names, labels, reported)


def test_spellings_of_one_class():
    actual = matched(("HAPPY", "Sadness", "angry"), EKMAN6)
    assert actual.meant == {"HAPPY": "happiness", "Sadness": "sadness", "angry": "anger"}
    assert not actual.level.is_upper
    assert actual.never_predicted == ["disgust", "fear", "surprise"]


def test_classes_of_ones_own_are_known_by_the_same_spellings():
    own = LabelSet(name="free", labels=("Happy", "Mild boredom"))
    assert matched(("happiness", "mild-boredom"), own).meant == {
        "happiness": "Happy",
        "mild-boredom": "Mild boredom",
    }


def test_no_internal_name_stands_for_classes_of_ones_own():
    own = LabelSet(name="free", labels=("tired", "awake"))
    with pytest.raises(
        ConfigError, match="classes of the predictions that the data set does not tell: 'zeal'"
    ):
        matched(("tired", "zeal"), own)


@pytest.mark.parametrize(
    ("names", "level"),
    [
        (("anger", "disgust", "contempt", "surprise"), "fg33"),  # each is one of the 33, too
        (("anger", "fear", "joviality"), None),
        (("anger", "fear", "happiness"), "ekman6"),
        (DEEPFACE, "ekman7"),
        ((*DEEPFACE, "contempt"), "ekman8"),
        (("anger", "fear", "love"), "parrott6"),
        (("panic", "fear"), None),
    ],
)
def test_levels_of_the_33(names, level):
    if level is None:
        with pytest.raises(ConfigError, match="classes of the predictions that fg33 does not tell"):
            matched(names, fg33())
    else:
        assert matched(names, fg33()).level.name == level


def test_leaves_at_the_level_above_them():
    level = matched(DEEPFACE, fg33()).level
    assert level.is_upper
    assert level.classes == ontology("ekman7").labels
    assert (level.truth["wrath"], level.truth["disgust"], level.truth["panic"]) == (
        "anger",
        "disgust",
        "fear",
    )
    assert "lust" not in level.truth
    assert matched((*DEEPFACE, "contempt"), fg33()).level.truth["contempt"] == "contempt"


def test_upper_classes_of_ones_own():
    own = LabelSet(name="found", labels=("calm", "zeal"), basic=("low", "high"))
    level = matched(("LOW", "high"), own).level
    assert (level.classes, dict(level.truth)) == (("low", "high"), {"calm": "low", "zeal": "high"})


def test_what_is_told():
    actual = matched(("joy", "angry", "neutral"), EKMAN6, joy="happy", neutral="")
    assert actual.meant == {"joy": "happiness", "angry": "anger", "neutral": None}
    assert actual.left_out == ["neutral"]


def test_two_classes_that_are_one():
    with pytest.raises(ConfigError, match="'happy' and 'Happiness' of the predictions are both 'happiness'"):
        matched(("happy", "Happiness"), EKMAN6)
    actual = matched(("happy", "Happiness"), EKMAN6, Happiness="happiness")
    assert set(actual.meant.values()) == {"happiness"}


def test_a_name_that_may_be_several():
    own = LabelSet(name="free", labels=("angry", "anger"))
    assert matched(("Anger",), own).meant == {"Anger": "anger"}
    own = LabelSet(name="free", labels=("happy", "happy "))
    with pytest.raises(ConfigError, match="'happiness' may be 'happy' or 'happy '"):
        matched(("happiness",), own)


def test_unknown_classes_name_what_is_near():
    with pytest.raises(ConfigError) as raised:
        matched(("suprise", "neutral", "anger"), EKMAN6)
    assert "'suprise' is none of the classes (near: surprise)" in raised.value.message
    assert "'neutral' is none of the classes, which the data set does not have" in raised.value.message
    message = "tell it: --map suprise=surprise, or leave out: --map suprise= --map neutral="
    assert raised.value.hint.startswith(f"{message}; in Python map=")
    with pytest.raises(ConfigError, match="'delight', named for 'joy', is none of the classes"):
        matched(("joy",), EKMAN6, joy="delight")


def test_what_is_told_of_no_class():
    with pytest.raises(ConfigError, match="the predictions have no class 'joy'"):
        matched(("happy",), EKMAN6, joy="happiness")


def test_data_without_classes():
    with pytest.raises(DatasetError, match="has no classes"):
        matched(("happy",), LabelSet(name="none", labels=()))


def test_words_of_the_option():
    assert mapping_of(["happy = happiness", "contempt="]) == {"happy": "happiness", "contempt": ""}
    for texts, message in (
        (["happy"], "'happy', expected NAME=CLASS"),
        (["=x"], "expected NAME=CLASS"),
        (["a=b", "a=c"], "map: 'a' is named twice"),
    ):
        with pytest.raises(ConfigError, match=message):
            mapping_of(texts)
