"""One form for names."""

import unicodedata

import pytest

from fgbench.naming import first_few, is_text, key, one_spelling, several_spellings, shown, tidy
from fgbench.preparation.voting import duplicate_voter
from fgbench.records import Vote
from fgbench.taxonomy import FREE, free_classes, ontology

DECOMPOSED = unicodedata.normalize("NFD", "Gl\u00fcck")


def test_what_reads_alike_is_one():
    assert tidy(f"  {DECOMPOSED} \t x\n") == "Gl\u00fcck x"
    assert key("ANNA ") == key("anna") == key(" Anna")
    assert key("STRASSE") == key("stra\u00dfe")
    assert key("Anna") != key("Anne")


@pytest.mark.parametrize("name", ["An\u200bna", "\ufeffAnna", "An\u00adna", "\u2060Anna\u200b "])
def test_characters_that_show_nothing_are_no_part_of_a_name(name):
    assert (tidy(name), key(name)) == ("Anna", "anna")


def test_ligatures_widths_and_joiners_make_no_other_person():
    assert key("\ufb01ona") == key("Fiona")
    assert key("\uff21nna") == key("anna")
    assert key("A\u200dnna") == key("Anna")
    assert tidy("\u0645\u06cc\u200c\u062e") == "\u0645\u06cc\u200c\u062e"  # a joiner that the eye needs stays


@pytest.mark.parametrize(
    "name",
    [
        "Anna\u200e",
        "\u200fAnna",
        "\u2067Anna\u2069",
        "\u202aAnna\u202c",
        "An\u061cna",
        "Anna\u3164",
        "A\U000e0041nna",
    ],
)
def test_marks_of_direction_and_fillers_make_no_other_person(name):
    assert key(name) == key("Anna")
    assert one_spelling([name, "Anna"]) == {name: "Anna", "Anna": "Anna"}


def test_bytes_that_are_no_text_are_written_out():
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    assert (is_text(name), shown(name)) == (False, "caf\\xe9.jpg")
    assert (is_text("caf\u00e9"), shown("caf\u00e9")) == (True, "caf\u00e9")
    assert shown("x\ud800") == "x\\ud800"


def test_a_message_names_the_first_few():
    assert first_few(["a", "b"]) == "a, b"
    assert first_few([str(number) for number in range(100_000)], 3) == "0, 1, 2 and 99,997 more"
    assert len(first_few(["x" * 10**6])) < 100


def test_one_spelling_stands_for_all_whatever_their_order():
    names = ["anna", "Anna", "ANNA ", "Ben"]
    wanted = {"ANNA ": "ANNA", "Anna": "ANNA", "anna": "ANNA", "Ben": "Ben"}
    assert one_spelling(names) == one_spelling(reversed(names)) == wanted
    assert several_spellings(names) == [("ANNA ", "Anna", "anna")]


@pytest.mark.parametrize("name", ["anger", "Anger ", "ANGER"])
def test_labels_have_one_form(name):
    assert ontology("fg33").find(name) == "anger"


def test_composed_and_decomposed_labels_are_one_class():
    assert free_classes(["Gl\u00fcck", DECOMPOSED, "gl\u00fcck"]) == ("Gl\u00fcck",)
    assert free_classes(["Gl\u00fcck", DECOMPOSED.lower(), "gl\u00fcck"]) == ("gl\u00fcck",)
    assert ontology(FREE).find(DECOMPOSED) == "gl\u00fcck"


def test_labels_that_print_alike_are_one_class():
    assert free_classes(["fine", "\ufb01ne", "fi\u200bne", "\uff46ine"]) == ("fine",)
    assert ontology("fg33").find("\ufeffanger") == "anger"


def test_one_annotator_votes_once_in_a_round():
    def vote(name, in_round=1):
        return Vote(annotator=name, label="anger", confidence=1.0, key_frame=None, round=in_round)

    assert duplicate_voter([vote("Anna"), vote("Ben"), vote("Anna")]) == ("Anna", 1)
    assert duplicate_voter([vote("Anna"), vote("Anne"), vote("Anna", 2)]) is None
