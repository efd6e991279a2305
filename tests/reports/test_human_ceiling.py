"""The annotators' row of Table II: votes against what the others settle, counted vote by vote."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from fgbench import storage
from fgbench.reports.rendering.files import TEXT_FORMATS
from fgbench.reports.rendering.table import Best
from fgbench.reports.tables import table2
from fgbench.reports.votes.agreement import vote_figures
from fgbench.reports.votes.cast_votes import read_votes
from fgbench.reports.votes.ceiling import NAME, ceiling
from tests.support.report_folders import LABELS, samples, write_fake_run, write_manifests
from tests.support.voted_work import drawn_votes, vote, write_votes


def write_work(work, rows=None):
    write_manifests(work, samples())
    write_fake_run(work, "lbp-svm", method="LBP+SVM", share=0.3)
    write_fake_run(work, "msau", method="MSAU-Net (Ours)", share=0.6)
    if rows is not None:
        write_votes(work, rows)
    return work


def drawn():
    clips = {clip: (clip, subject, label) for _, clip, subject, label in samples()}
    return drawn_votes(list(clips.values()), LABELS)


def by_hand(rows, least=3):
    """Of settled clips: the others' label and the vote where there is one, and the settled label and it."""
    last, clips = Counter(), defaultdict(list)
    for row in rows:
        last[row["clip_id"]] = max(last[row["clip_id"]], row["round"])
    for row in rows:
        if row["round"] == last[row["clip_id"]] and row["settled"] is not None:
            clips[row["clip_id"]].append(row)
    pairs, settled = [], []
    for votes in clips.values():
        settled += [(row["settled"], row["label"]) for row in votes]
        for row in votes:
            others = [other for other in votes if other is not row]
            tally = Counter(other["label"] for other in others if other["label"] is not None)
            for label, n in tally.items():
                if n >= least and n > len(others) / 2:
                    pairs.append((label, row["label"]))
    return pairs, settled


def uar(pairs):
    hits = defaultdict(list)
    for truth, voted in pairs:
        hits[truth].append(truth == voted)
    return np.mean([np.mean(values) for values in hits.values()])


def test_votes_are_scored_against_the_label_of_the_others(tmp_path):
    """The mean of the classes, and the easier number against the settled label."""
    rows = drawn()
    found = ceiling(write_work(tmp_path, rows))
    pairs, settled = by_hand(rows)
    assert (found.n_votes, found.n_clips) == (
        len(pairs),
        len({row["clip_id"] for row in rows if row["settled"]}),
    )
    assert found.left_out.mean == pytest.approx(uar(pairs))
    assert found.settled.mean == pytest.approx(uar(settled))
    assert found.settled.mean > found.left_out.mean
    assert found.left_out.interval.low < found.left_out.mean < found.left_out.interval.high
    assert f"{found.settled.mean:.3f}" in found.notes[0]
    assert found.n_needed == found.n_unsettled > 0
    assert (
        f"{found.n_unsettled} votes are left out, as the others settle no label; all of them"
        in found.notes[0]
    )


@pytest.mark.parametrize(
    ("rule", "said"), [("majority", "the most votes"), ("mace", "in place of the recipe's, mace,")]
)
def test_the_rule_is_that_of_the_recipe_where_it_is_of_one_clip(tmp_path, rule, said):
    """By majority, two of three others settle; models of all annotators are named, and not run again."""
    label = LABELS[0]
    votes = [
        vote(f"{label}-0", who, voted, settled=label)
        for who, voted in zip("abc", [label] * 2 + [LABELS[1]], strict=True)
    ]
    work = write_work(tmp_path, votes)
    path = work / "manifests" / "index.json"
    index = storage.read_json(path)
    storage.write_json(path, {**index, "origin": {"recipe": {"consensus": {"rule": rule, "min_votes": 2}}}})
    found = ceiling(work)
    assert said in found.notes[0]
    if rule == "mace":  # said where the table is read
        for kind in ("md", "tex", "html"):
            assert "mace, which is a model of all votes at once" in TEXT_FORMATS[kind](table2.build(work))
    # a and b: the others are tied; c: both others say what was settled.
    assert (found.n_votes, found.n_unsettled, found.left_out.mean) == (1, 2, 0.0)


def test_votes_for_no_class_are_wrong(tmp_path):
    label = LABELS[0]
    votes = [vote(f"{label}-0", who, label, settled=label) for who in "abcd"]
    votes.append(vote(f"{label}-0", "e", None, answer="unsure", settled=label))
    found = ceiling(write_work(tmp_path, votes))
    assert (found.n_votes, found.left_out.mean) == (5, pytest.approx(4 / 5))


def test_the_row_of_table_ii_is_never_bold_and_stands_last(tmp_path):
    """Though it is the best number of all."""
    clips = {clip: label for _, clip, _, label in samples()}
    votes = [vote(clip, who, label, settled=label) for clip, label in clips.items() for who in "abcd"]
    table = table2.build(write_work(tmp_path, votes))
    row = table.rows[-1]
    assert row[:3] == ["video", NAME, "this data set"]
    assert row[3] == 1.0
    assert not any(isinstance(cell, Best) for cell in row)
    assert any(isinstance(cell, Best) for one in table.rows[:-1] for cell in one)
    assert row[list(table.columns).index("Seeds")] is None
    assert any("have no rank among the methods" in note for note in table.notes)
    for text in TEXT_FORMATS.values():
        assert NAME in text(table)


def test_other_rows_and_notes_stay_as_they_are_without_votes(tmp_path):
    without = table2.build(write_work(tmp_path / "a"))
    voted = table2.build(write_work(tmp_path / "b", drawn()))
    assert voted.rows[:-1] == without.rows
    assert [
        note for note in voted.notes if NAME not in note and "annotators have no rank" not in note
    ] == without.notes
    assert not any(NAME in str(row) for row in without.rows)


def test_clips_that_are_not_tested_do_not_count(tmp_path):
    rows = [vote("elsewhere", who, LABELS[0], settled=LABELS[0]) for who in "abcde"]
    assert ceiling(write_work(tmp_path, rows)) is None


def test_a_late_vote_is_of_no_round_that_settled_a_clip(tmp_path):
    """It has no settled label; those of the round before count as without it."""
    label = LABELS[0]
    votes = [vote(f"{label}-0", who, label, settled=label) for who in "abcd"]
    late = vote(f"{label}-0", "a", LABELS[1], round=2)
    work = write_work(tmp_path, [*votes, late])
    found = ceiling(work)
    assert (found.n_votes, found.n_unsettled, found.left_out.mean) == (4, 0, 1.0)
    figures = vote_figures(read_votes(work))
    assert [(one.round, one.settled) for one in figures.rounds] == [(1, 1), (2, 0)]
