"""Names of annotators that may be one person: which are asked about, and what ``annotators.csv`` answers."""

import unicodedata
from itertools import combinations

import pytest

from fgbench.catalogue.one_person import alike, persons
from fgbench.errors import DatasetError
from tests.support.doc_blocks import block

NFC, NFD = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))


def distance(one, other):
    """Levenshtein's distance, by the table of its definition."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above, row = row, [i]
        for j, b in enumerate(other, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Anna", "anna"),
        ("Anna B.", "anna b"),
        ("Anna Berg", "Anna  Berg"),
        ("anna_berg", "Anna-Berg"),
        (NFC, NFD),
        ("Anna", "Anna\u200b"),
        ("Meier", "Maier"),
        ("Schmidt", "Schmid"),
        ("anna berg", "annaberg"),
        ("Müller", "Muller"),
        ("??", "? ?"),
        ("\u0430nna", "anna"),  # Cyrillic
        ("\u0412en", "Ben"),
        ("Z\u03bfe", "Zoe"),  # Greek
    ],
)
def test_names_of_one_look_are_asked_about(one, other):
    assert alike([other, one, "Somebody Else"]) == [tuple(sorted((one, other)))]


@pytest.mark.parametrize(
    "names",
    [
        ("annotator1", "annotator2"),
        ("annotator1", "annotator11"),
        ("annotator", "annotator1"),
        ("rater A", "rater B"),
        ("raterA", "raterB"),
        ("Eva", "Ava"),
        ("1", "2"),
        ("n0", "n1"),
        ("Anna", "Anne"),
        ("Meier", "Mayer"),
        ("!", "?"),
        ("a-3f9c0d21", "a-3f9c0d22"),
        ("\u041e\u043b\u044f", "Olja"),
        ("\u0418\u0440\u0430", "\u042e\u0440\u0430"),
    ],
)
def test_other_names_are_two_people(names):
    assert alike(names) == []


def test_pairs_are_those_at_a_distance_of_one():
    """All pairs of a list of names, by Levenshtein's table."""
    names = [
        "berger",
        "bergen",
        "berge",
        "bergers",
        "bergher",
        "burger",
        "burgers",
        "kruger",
        "bergr",
        "erger",
    ]
    expected = [pair for pair in combinations(sorted(names), 2) if distance(*pair) == 1]
    assert alike(names) == expected
    assert len(expected) > 8


def test_the_error_names_both_with_their_votes_and_the_file_that_answers(tmp_path):
    with pytest.raises(DatasetError) as raised:
        persons({"Eva": 12, "eva": 3, "Max": 1}, tmp_path)
    assert "'Eva' (12 votes) and 'eva' (3 votes)" in raised.value.message
    assert str(tmp_path / "annotators.csv") in raised.value.hint
    with pytest.raises(DatasetError, match=r"'Zo\\xeb' \(1 vote\)|'Zoe\\u0308' \(1 vote\) and 'Zo\\xeb'"):
        persons({NFC: 1, NFD: 1}, tmp_path)


def test_letters_that_look_alike_are_told_by_their_code_points(tmp_path):
    with pytest.raises(DatasetError, match=r"'anna' \(1 vote\) and '\\u0430nna' \(2 votes\)"):
        persons({"\u0430nna": 2, "anna": 1}, tmp_path)


def test_many_pairs_stay_a_short_error(tmp_path):
    names = [f"berg{a}{b}" for a in "abcdef" for b in "abcdef"]
    with pytest.raises(DatasetError, match=r"and \d+ more pairs") as raised:
        persons(dict.fromkeys(names, 1), tmp_path)
    assert len(raised.value.message) < 300


def test_the_table_says_one_or_two(tmp_path):
    votes = {"Eva": 12, "eva": 3, "Meier": 1, "Maier": 2, "Max": 1}
    (tmp_path / "annotators.csv").write_text(
        "name,annotator\nEva,Eva B.\neva,Eva B.\nMeier,Meier\nMaier,Maier\n", encoding="utf-8"
    )
    assert persons(votes, tmp_path) == {
        "Eva": "Eva B.",
        "eva": "Eva B.",
        "Meier": "Meier",
        "Maier": "Maier",
        "Max": "Max",
    }


def test_the_table_of_the_documentation_answers(tmp_path):
    text = block("docs/votes.md", "name,annotator", "csv")
    (tmp_path / "annotators.csv").write_text(text, encoding="utf-8")
    votes = {"Anna": 5, "ANNA": 2, "Meier": 5, "Maier": 4}
    assert persons(votes, tmp_path) == {
        "Anna": "Anna",
        "ANNA": "Anna",
        "Meier": "Meier",
        "Maier": "another Maier",
    }


def test_a_new_spelling_is_asked_about_again(tmp_path):
    (tmp_path / "annotators.csv").write_text("name;annotator\nEva;Eva\neva;other\n", encoding="utf-8")
    assert persons({"Eva": 1, "eva": 1}, tmp_path)["eva"] == "other"
    with pytest.raises(DatasetError, match="'EVA'"):
        persons({"Eva": 1, "eva": 1, "EVA": 1}, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\nEva\n", "does not have one column annotator"),
        ("name,annotator,name\nEva,Eva,x\n", "does not have one column name"),
        ("name,annotator\nEva,\n", "line 2 lacks a name or an annotator"),
        ("name,annotator\nEva,Eva\nEva,eva\n", "line 3 gives 'Eva' a second annotator"),
        ('name,annotator\n"Eva,x\n', "is not a CSV table"),
    ],
)
def test_a_bad_table_is_explained(tmp_path, text, message):
    (tmp_path / "annotators.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        persons({"Eva": 1}, tmp_path)


def test_a_name_as_long_as_a_cell_takes_no_memory():
    """Letters are looked for one by one in names of usual length alone: all else would take their square."""
    long = "x" * 100_000
    names = [long, f"{long}y", long.upper(), "marie", "maria"]
    assert alike(names) == [(long.upper(), long), ("maria", "marie")]
