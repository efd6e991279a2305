"""Label sets: by name and not by order, with upper classes where there are some."""

import numpy as np
import pytest

from fgbench.errors import DatasetError, ManifestError
from fgbench.runs.labels import LabelSet, fg33, named_labels, read_labels, respelled
from fgbench.taxonomy import UnknownLabelError, basics, leaf, leaves


def test_the_leaves_are_the_label_set_unless_the_index_tells_another():
    for index in ({}, {"scheme": "fg33"}, {"classes": [item.name for item in leaves()][::-1]}):
        assert read_labels(index) == fg33()
    assert fg33().upper == basics()


def test_classes_that_differ_in_capitals_alone_are_the_same_ones():
    """A network of an earlier version of a work folder knows its classes in small letters."""
    network = LabelSet(name="free", labels=("mild_boredom", "zeal"), basic=("low", "high"))
    actual = respelled(network, LabelSet(name="free", labels=("Zeal", "Mild boredom")))
    assert actual.labels == ("Mild boredom", "Zeal")
    assert actual.basic == ("low", "high")
    other = LabelSet(name="free", labels=("Zeal", "Calm"))
    assert respelled(network, other) is network
    assert other.numbers(["calm", "Zeal"]).tolist() == [1, 0]


def test_numbers_are_those_of_the_class_tree():
    names = ["wrath", "disgust", "lust", "surprise"]
    numbers = fg33().numbers(names)
    assert numbers.tolist() == [leaf(name).class_id for name in names]
    upper = [basics()[number] for number in fg33().upper_numbers(numbers)]
    assert upper == ["anger", "anger", "love", "surprise"]
    matrix = fg33().upper_matrix()
    assert matrix.shape == (33, 6)
    assert [basics()[row.argmax()] for row in matrix] == [item.basic for item in leaves()]
    np.testing.assert_array_equal(matrix.sum(1), 1)


def test_a_set_of_its_own_has_no_upper_classes():
    labels = read_labels({"scheme": "raf-compound", "classes": ["sadly_angry", "happily_surprised"]})
    assert (labels.name, labels.upper, labels.basic) == ("raf-compound", (), None)
    assert labels.numbers(["happily_surprised", "sadly_angry"]).tolist() == [1, 0]
    assert labels.upper_numbers(np.array([1, 0, 1])).tolist() == [0, 0, 0]
    assert labels.upper_matrix().shape == (2, 0)
    assert labels.described() == {
        "classes": ["sadly_angry", "happily_surprised"],
        "scheme": "raf-compound",
    }
    assert "scheme" not in fg33().described()


def test_what_is_left_of_the_leaves_keeps_their_order_and_upper_classes():
    labels = read_labels({"scheme": "fg33", "classes": ["surprise", "wrath", "anger", "lust"]})
    assert labels.labels == ("anger", "wrath", "lust", "surprise")
    assert labels.basic == ("anger", "anger", "love", "surprise")
    assert labels.upper == ("anger", "love", "surprise")
    reported = labels.described()
    assert reported["scheme"] == "fg33-part"
    assert named_labels(reported["scheme"], reported["classes"], origin="weights") == labels


def test_data_without_classes_have_none_to_train_on():
    labels = read_labels({"scheme": "none", "classes": []})
    assert labels.labels == ()
    with pytest.raises(DatasetError, match="label set none has no classes"):
        labels.numbers([None])


def test_a_known_set_may_leave_out_its_classes():
    assert read_labels({"scheme": "ekman7"}).labels[-1] == "neutral"


def test_an_unknown_label_names_the_nearest():
    labels = read_labels({"scheme": "ekman7"})
    with pytest.raises(
        UnknownLabelError, match="unknown label 'hapiness', expected one of the 7 of ekman7"
    ) as e:
        labels.numbers(["anger", "hapiness"])
    assert "did you mean 'happiness'" in e.value.hint


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({"scheme": "mine"}, "names the label set 'mine' and does not list its classes"),
        ({"scheme": "mine", "classes": ["a"]}, "expected two or more different names"),
        ({"scheme": "mine", "classes": ["a", "a"]}, "expected two or more different names"),
        ({"scheme": "mine", "classes": "ab"}, "expected two or more different names"),
        ({"scheme": "mine", "classes": ["a", 3]}, "expected two or more different names"),
        ({"classes": ["anger", "fear"]}, "has the class 'fear', expected some of the 33 leaves of fg33"),
        ({"scheme": "fg33-part"}, "names the label set 'fg33-part' and does not list its classes"),
    ],
)
def test_classes_that_cannot_be_are_refused(index, message):
    with pytest.raises(ManifestError, match=message):
        read_labels(index)
