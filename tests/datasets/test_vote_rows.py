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
