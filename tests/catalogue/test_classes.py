"""Which classes a recipe tells apart."""

import pytest

from fgbench.catalogue.classes import choose_classes
from fgbench.config import DatasetConfig
from fgbench.errors import ConfigError
from fgbench.records import ClipEntry, Vote
from fgbench.taxonomy import leaves, ontology


def entries(*labels):
    return [ClipEntry(clip_id=str(n), path=str(n), label=label) for n, label in enumerate(labels)]


def chosen(*labels, **keys):
    return choose_classes(DatasetConfig(scheme="found", **keys), entries(*labels))


def test_a_part_of_the_33_is_taken_in_their_order():
    names = [leaves()[index].name for index in (20, 3, 11)]
    classes = chosen(*names, names[0].upper())
    assert classes.scheme == "fg33"
    assert classes.labels == tuple(leaves()[index].name for index in (3, 11, 20))
    assert classes.are_found
    assert not classes.are_listed
    (note,) = classes.notes
    assert note.startswith("classes: the 3 of the 33 of fg33 that occur; to fix them write dataset: {classes")


def test_all_33_need_no_word():
    classes = chosen(*[leaf.name for leaf in leaves()])
    assert (classes.labels, classes.notes) == (ontology("fg33").labels, ())


def test_basic_expressions_are_known_in_other_spellings():
    classes = chosen("Happy", "sad", "angry")
    assert (classes.scheme, classes.labels) == ("ekman6", ("anger", "happiness", "sadness"))
    assert chosen("Happy", "sad", "neutral").scheme == "ekman7"


def test_words_that_nobody_knows_are_classes_of_ones_own():
    classes = chosen("Boredom", "confusion", "engagement")
    assert (classes.scheme, classes.labels) == ("free", ("Boredom", "confusion", "engagement"))
    assert classes.notes == ("classes: 3 of your own, as they occur (Boredom, confusion, engagement)",)


def test_a_wrong_word_among_basic_expressions_is_told_with_what_may_be_meant():
    classes = chosen("happy", "sad", "feer", "Boredom")
    assert classes.scheme == "free"
    assert classes.notes[0].endswith("; feer: did you mean fear?")
    assert "did you mean" not in chosen("happy", "sad", "boredom").notes[0]
    assert "did you mean" not in chosen("happy", "feer", "boredom", "zeal").notes[0]


def test_a_wrong_word_among_the_33_is_left_to_be_rejected_and_told():
    names = [leaf.name for leaf in leaves()[:4]]
    classes = chosen(*names, "hapy")
    assert (classes.scheme, classes.labels) == ("fg33", tuple(names))
    assert "1 other label not among them, whose clips are rejected: hapy" in classes.notes[0]


def test_what_annotators_voted_for_occurs():
    names = [leaf.name for leaf in leaves()[:2]]
    votes = tuple(
        Vote(annotator=str(n), label=name, confidence=1.0, key_frame=0, round=1)
        for n, name in enumerate(names)
    )
    entry = ClipEntry(clip_id="a", path="a", label="ignored where there are votes", votes=votes)
    assert choose_classes(DatasetConfig(scheme="found"), [entry]).labels == tuple(names)


def test_listed_classes_are_taken_whatever_occurs():
    names = [leaves()[index].name for index in (5, 1)]
    classes = chosen("boredom", classes=names)
    assert (classes.scheme, classes.labels) == ("fg33", (leaves()[1].name, leaves()[5].name))
    assert classes.are_listed
    assert not classes.are_found


def test_listed_classes_of_ones_own_keep_their_order_and_may_have_upper_classes():
    classes = chosen("x", classes=["Zeal", "mild boredom"], upper={"zeal": "Up", "Mild-Boredom": "down"})
    assert (classes.scheme, classes.labels) == ("free", ("Zeal", "mild boredom"))
    assert classes.upper == {"Zeal": "Up", "mild boredom": "down"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"classes": ["joy_of_one"]}, "1 names"),
        ({"classes": ["a", "A "]}, "'a' twice"),
        ({"classes": ["a", " "]}, "an empty one"),
        ({"classes": ["happy", "happiness"]}, "names a class of ekman6 twice"),
        ({"upper": {"a": "b"}}, "dataset.classes lists none"),
        ({"classes": ["a", "b"], "upper": {"a": "c"}}, "differ in b"),
        ({"classes": ["a", "b"], "scheme": "none"}, "dataset.scheme is none"),
        ({"classes": ["anger", "boredom"], "scheme": "ekman7"}, "has boredom, expected classes of ekman7"),
        ({"scheme": "fg34"}, "unknown label set"),
    ],
)
def test_what_cannot_be_is_refused(keys, message):
    with pytest.raises(ConfigError, match=message):
        choose_classes(DatasetConfig(**{"scheme": "found", **keys}), entries("boredom"))
