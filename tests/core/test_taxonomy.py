"""The class tree and the label sets."""

import pytest

from fgbench import taxonomy
from fgbench.errors import ConfigError

# Paper, section III, the list of classes with their upper classes in brackets.
PAPER = {
    "anger": "anger contempt disgust frustration hate irritation loathing torment wrath",
    "fear": "anxiety nervousness panic terror worry",
    "happiness": "cheerfulness enthrallment optimism pleasure pride relief thrill",
    "love": "affection lust",
    "sadness": "suffering sorrow remorse guilt gloom embarrassment depression",
    "surprise": "amazement astonishment surprise",
}


def test_tree_is_the_papers():
    actual = {
        basic: [leaf.name for leaf in taxonomy.leaves() if leaf.basic == basic] for basic in taxonomy.basics()
    }
    assert actual == {basic: names.split() for basic, names in PAPER.items()}
    assert [leaf.class_id for leaf in taxonomy.leaves()] == list(range(33))


def test_valence_follows_the_upper_class():
    by_valence = {leaf.basic: leaf.valence for leaf in taxonomy.leaves()}
    assert {basic for basic, valence in by_valence.items() if valence == "pleasant"} == {
        "happiness",
        "love",
        "surprise",
    }


def test_lookup_ignores_case_and_spaces():
    assert taxonomy.leaf("  Disgust ").basic == "anger"


def test_unknown_label_names_the_nearest():
    with pytest.raises(taxonomy.UnknownLabelError, match="did you mean 'sorrow'"):
        taxonomy.leaf("sorow")


@pytest.mark.parametrize("name", ["ekman6", "ekman7", "ekman8"])
def test_leaves_under_love_have_no_counterpart_in_ekmans_sets(name):
    mapping = taxonomy.ontology(name).from_leaf
    assert {"affection", "lust"}.isdisjoint(mapping)
    assert mapping["disgust"] == "disgust"
    assert mapping["wrath"] == "anger"
    assert mapping["contempt"] == ("contempt" if name == "ekman8" else "anger")


def test_every_mapping_lands_in_its_label_set():
    for name in taxonomy.ontology_names():
        ontology = taxonomy.ontology(name)
        assert set(ontology.from_leaf.values()) <= set(ontology.labels)
        assert [ontology.index(label) for label in ontology.labels] == list(range(len(ontology.labels)))


@pytest.mark.parametrize(
    ("scheme", "label", "expected"),
    [
        ("fg33", "disgust", ("anger", "unpleasant")),
        ("ekman7", "disgust", ("anger", "unpleasant")),
        ("ekman7", "surprise", ("surprise", "pleasant")),
        ("ekman7", "neutral", (None, None)),
        ("ekman8", "contempt", ("anger", "unpleasant")),
        ("parrott6", "love", ("love", "pleasant")),
        ("mafw11", "anxiety", ("fear", "unpleasant")),
        ("mafw11", "helplessness", (None, None)),
        ("raf-compound11", "sadly_angry", (None, None)),
        ("free", "anger", (None, None)),
    ],
)
def test_place_of_labels_in_the_class_tree(scheme, label, expected):
    assert taxonomy.ontology(scheme).basic_and_valence(label) == expected


def test_other_spellings_are_found_where_the_set_has_their_label():
    assert taxonomy.ontology("ekman7").find(" Angry") == "anger"
    assert taxonomy.ontology("ck7").find("Contemptuous") == "contempt"
    with pytest.raises(taxonomy.UnknownLabelError):
        taxonomy.ontology("ekman7").find("contemptuous")
    with pytest.raises(taxonomy.UnknownLabelError):
        taxonomy.ontology("fg33").find("happy")


def test_the_free_set_takes_every_name():
    assert taxonomy.ontology("free").find("Very  Happy-face") == "very_happy_face"
    assert taxonomy.free_classes(["b", "A a", "B", "b"]) == ("A a", "b")
    assert taxonomy.free_classes(["b", "A a", "B"]) == ("A a", "B"), "of equals the first in the alphabet"
    own = taxonomy.with_classes(taxonomy.ontology("free"), ["Very happy", "b"])
    assert (own.find("very-HAPPY"), own.find("B"), own.find("New")) == ("Very happy", "b", "new")
    assert own.index("VERY_HAPPY") == 0
    assert taxonomy.with_classes(taxonomy.ontology("fg33"), ["Wrath"]) == taxonomy.ontology("fg33")
    with pytest.raises(taxonomy.UnknownLabelError):
        taxonomy.ontology("free").find(" ")


def test_unknown_label_set_lists_the_known():
    with pytest.raises(ConfigError, match="ekman6"):
        taxonomy.ontology("ekman9")


@pytest.mark.parametrize(
    ("label", "scheme", "advice"),
    [
        (
            "happy",
            "fg33",
            "'happy' (happiness) is an upper class: did you mean one of its classes (cheerfulness, "
            "enthrallment, optimism, pleasure, pride, relief, thrill), or the label set ekman6 (dataset: "
            "{scheme: ekman6})? "
            "labels: ",
        ),
        (
            "Fear",
            "fg33",
            "'fear' is an upper class: did you mean one of its classes (anxiety, nervousness, panic, terror, "
            "worry), or the label set ekman6 (dataset: {scheme: ekman6})? labels: ",
        ),
        ("angry", "fg33", "did you mean 'anger'? labels: "),
        (
            "neutral",
            "fg33",
            "did you mean the label set ekman7 (dataset: {scheme: ekman7}), which has 'neutral'? labels: ",
        ),
        ("wrath", "ekman6", "did you mean the label set fg33 (dataset: {scheme: fg33}), which has 'wrath'? "),
        ("zeal", "ekman6", "labels: anger"),
    ],
)
def test_an_unknown_label_brings_what_may_have_been_meant(label, scheme, advice):
    with pytest.raises(taxonomy.UnknownLabelError) as caught:
        taxonomy.ontology(scheme).find(label)
    assert caught.value.hint.startswith(advice)
