"""Cells with the apostrophe that keeps spreadsheets from taking them for formulas, read as what they mean."""

import fgbench
from fgbench.annotation.clip_tables import ClipTable, agrees
from fgbench.catalogue.one_person import read_annotators
from fgbench.datasets.fg_emotions import list_clips
from tests.support.annotated_rounds import exported, write_clips


def by_id(root):
    return {entry.clip_id: entry for entry in list_clips(root)}


def test_names_and_labels_of_the_tables_lose_the_apostrophe(tmp_path):
    """In votes, known answers and annotations; the name of a file keeps its own."""
    root = write_clips(tmp_path, ["=x", "'=y", "z"])
    (root / "votes.csv").write_text("clip,annotator,label\n./=x.mp4,'@me,'=joy\n")
    (root / "gold.csv").write_text("clip,label\n'=x.mp4,'=joy\n")
    (root / "annotations.csv").write_text("clip,label,subject,source\n'=y,'-joy,'+s,'@film\nz,'x,,\n")
    clips = by_id(root)
    assert [(vote.annotator, vote.label) for vote in clips["=x"].votes] == [("@me", "=joy")]
    assert clips["=x"].gold_label == "=joy"
    odd = clips["'=y"]
    assert (odd.label, odd.subject_id, odd.source_id) == ("-joy", "+s", "@film")
    assert clips["z"].label == "'x"
    assert {entry.problem for entry in clips.values()} == {None}


def test_known_answers_are_the_same_for_export_and_adapter(tmp_path):
    root = write_clips(tmp_path, ["=x", "b"])
    (root / "gold.csv").write_text("clip,label\n'=x.mp4,anger\n")
    (root / "annotations.csv").write_text("clip,label\n./=x,anger\nb,anger\n")
    assert exported(root).n_gold == 1
    assert {name: entry.gold_label for name, entry in by_id(root).items()} == {"=x": "anger", "b": None}


def test_an_imported_name_is_that_of_the_adapter_and_of_the_table_of_annotators(tmp_path):
    root = write_clips(tmp_path, ["b"])
    (root / "answers.csv").write_text("clip,annotator,label\nb,@me,anger\n")
    fgbench.import_votes(root / "answers.csv", root)
    assert [vote.annotator for vote in by_id(root)["b"].votes] == ["@me"]
    (root / "annotators.csv").write_text("name,annotator\n'@me,'@myself\n")
    assert read_annotators(root) == {"@me": "@myself"}


def test_a_label_that_is_there_agrees_with_the_same_one(tmp_path):
    """Rows that are added to a table are escaped; read anew, they are no other answer."""
    path = tmp_path / "annotations.csv"
    row = {"clip": "a", "label": "=joy", "key_frame": "3"}
    for expected in (None, "'=joy"):
        table = ClipTable(path, ["clip"], lambda one: one["clip"])
        there = table.add(row)
        assert (None if there is None else there["label"]) == expected
        table.write()
    assert agrees(there, row)
    assert not agrees(there, {**row, "label": "joy"})
