"""What terminals and spreadsheets are given of others' texts."""

import json

import pytest

from fgbench.printable import cell_of, printable, printable_json, printable_name, text_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("caf\udce9", "caf\\xe9"),
        ("\ud800", "\\ud800"),
        ("del\x7f tab\t cr\r", "del\\x7f tab\\x09 cr\\x0d"),
        ("表情 é 😀", "表情 é 😀"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_control_characters_are_shown_and_not_done(text, shown):
    assert printable(text) == shown


def test_a_name_is_on_one_line():
    assert printable_name("a\nerror: no") == "a\\x0aerror: no"


def test_json_means_the_same():
    value = {"a\x9b": ["\x1b[0m", "\x7f\u202e", "\udcff", "é\n"]}
    document = printable_json(json.dumps(value, indent=1, ensure_ascii=False))
    assert json.loads(document) == value
    assert document.encode("utf-8").isascii() is False
    assert not set(document) & {"\x9b", "\x7f", "\u202e", "\udcff"}


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1|cmd", "'=1+1|cmd"),
        ("+1|x", "'+1|x"),
        ("-x", "'-x"),
        ("@sum(1)", "'@sum(1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1", "'＝1"),
        ("'=x", "''=x"),
        ("-0.5", "-0.5"),
        ("+1e-05", "+1e-05"),
        ("plain", "plain"),
        ("'quoted'", "'quoted'"),
        ("", ""),
    ],
)
def test_cells_are_no_formulas_and_lead_back_to_their_texts(text, cell):
    assert cell_of(text) == cell
    assert text_of(cell) == text
