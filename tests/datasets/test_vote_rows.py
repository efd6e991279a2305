"""Rows of ``votes.csv``: what makes one no vote."""

import pytest

from fgbench.datasets._annotation_table import BadCellError
from fgbench.datasets._vote_rows import vote_of


@pytest.mark.parametrize("name", ["", "\u200b", "\ufeff"])
def test_a_vote_of_nobody_is_no_vote(name):
    """Votes without a name would count as those of one person; the line is named."""
    with pytest.raises(BadCellError, match=r"votes\.csv line 7 names no annotator"):
        vote_of({"clip": "a", "annotator": name, "label": "anger", "_line": "7"})
    assert vote_of({"clip": "a", "annotator": "p", "label": "anger", "_line": "7"}).round == 1


def test_a_name_with_a_control_character_is_no_annotator():
    row = {"clip": "a", "annotator": "an\0na", "label": "anger", "_line": "7"}
    with pytest.raises(
        BadCellError, match=r"votes\.csv line 7: annotator is 'an\\x00na', expected a name without"
    ):
        vote_of(row)
