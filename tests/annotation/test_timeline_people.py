"""Files of several annotators: names of people and of files, and several recordings in one file."""

import csv

import pytest

from fgbench.annotation.timeline_import import TimelinePlan, import_timelines
from fgbench.errors import DatasetError
from tests.support.clip_folders import write_plain_clip
from tests.support.timelines import textgrid, write_eaf


@pytest.fixture
def root(tmp_path):
    write_plain_clip(tmp_path / "videos" / "film.mp4", 50)
    return tmp_path


def take(root, *files, **settings):
    return import_timelines(TimelinePlan(root=root, files=files, find=str, **settings))


def votes(root):
    with (root / "votes.csv").open(newline="", encoding="utf-8") as file:
        return [(row["clip"], row["annotator"], row["label"]) for row in csv.DictReader(file)]


def grid(path, tiers):
    path.write_text(textgrid(tiers, 2.0), encoding="utf-8")
    return path


def test_textgrids_of_several_annotators_are_found_by_the_recording_in_their_names(root):
    """``film@ann`` is Ann's; ``film-ben`` is of ``film`` as its tier is Ben's."""
    ann = grid(root / "film@ann.TextGrid", {"label": [(0.0, 2.0, "anger")], "key_frame": [(0.5, 0.5, "")]})
    ben = grid(root / "film-ben.TextGrid", {"label@Ben": [(0.0, 2.0, "wrath")]})
    done = take(root, ann, ben)
    assert (done.n_added, done.rejects) == (2, ())
    assert sorted(votes(root)) == [("film.mp4", "Ben", "wrath"), ("film.mp4", "ann", "anger")]


def test_names_with_control_characters_are_rejected(root):
    ann = grid(
        root / "film.TextGrid", {"label@an\x07n": [(0.0, 2.0, "anger")], "label@ben": [(0.0, 2.0, "joy")]}
    )
    done = take(root, ann)
    assert [one.reason for one in done.rejects] == ["bad_annotator"]
    assert votes(root) == [("film.mp4", "ben", "joy")]


def test_no_other_recording_is_taken_for_the_one_that_a_file_is_called_as(root):
    lost = grid(root / "film-2.TextGrid", {"label@ben": [(0.0, 2.0, "wrath")]})
    (reject,) = take(root, lost).rejects
    assert reject.reason == "missing_file"
    assert "no recording film-2, in the data set" in reject.detail
    assert "--media" in reject.detail


@pytest.mark.parametrize("other", ["ANN", "Marieke"])
def test_names_that_may_be_of_one_person_are_asked_about(root, other):
    """Also on different intervals, of which a table of one person's labels would be made."""
    tiers = {"label@ann": [(0.0, 1.0, "anger")], f"label@{other}": [(1.0, 2.0, "wrath")]}
    path = write_eaf(root / "film.eaf", {**tiers, "label@Marijke": [(0.0, 1.0, "anger")]})
    with pytest.raises(DatasetError, match="may be one person") as caught:
        take(root, path, cut=True)
    assert "annotators.csv" in caught.value.hint
    assert sorted(one.name for one in root.iterdir()) == ["annotation", "film.eaf", "videos"]
    done = take(root, path, cut=True, annotators={"ANN": "ann", "Marieke": "Marijke"})
    assert (done.n_added, done.rejects) == (3, ())


def test_names_of_votes_that_are_there_are_asked_about_too(root):
    (root / "votes.csv").write_text("clip,annotator,label\nfilm,Anna,anger\n", encoding="utf-8")
    path = write_eaf(root / "film.eaf", {"label@anna": [(0.0, 2.0, "wrath")]})
    with pytest.raises(DatasetError, match=r"'Anna' .1 vote. and 'anna' .1 vote."):
        take(root, path)
    (root / "annotators.csv").write_text("name,annotator\nAnna,Anna\nanna,Anna\n", encoding="utf-8")
    assert [one.reason for one in take(root, path).rejects] == ["other_answer"]


def test_the_time_origin_is_that_of_the_recording_which_is_there(root):
    """A sound file comes first in many files of ELAN, with an origin of its own."""
    path = write_eaf(root / "a.eaf", {"label": [(0.0, 0.6, "anger")]}, media="sound.wav", origin_ms=200)
    video = (
        '<MEDIA_DESCRIPTOR MEDIA_URL="file:///film.mp4" MIME_TYPE="video/mp4" TIME_ORIGIN="1000"/></HEADER>'
    )
    path.write_text(path.read_text(encoding="utf-8").replace("</HEADER>", video), encoding="utf-8")
    done = take(root, path, cut=True)
    assert done.rejects == ()
    assert "film/00001000-00001600" in done.table.read_text(encoding="utf-8")


def test_answers_of_a_second_person_that_come_later_are_told(root):
    """Labels of one person are no votes; the reject says how they become votes."""
    take(root, write_eaf(root / "ann.eaf", {"label@ann": [(0.0, 2.0, "anger")]}))
    (reject,) = take(root, write_eaf(root / "ben.eaf", {"label@ben": [(0.0, 2.0, "wrath")]})).rejects
    assert reject.reason == "other_answer"
    assert "files are imported together" in reject.detail


def test_an_annotator_whose_tier_is_empty_is_told(root):
    ann = grid(root / "film.TextGrid", {"label@ann": [(0.0, 2.0, "anger")], "label@ben": []})
    done = take(root, ann)
    assert [(one.reason, one.annotator) for one in done.rejects] == [("no_labels", "ben")]
    assert done.n_added == 1
