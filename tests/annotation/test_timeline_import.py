"""Intervals of ELAN and Praat as clips of a data set: whole files, cut clips, votes, and what is rejected."""

import csv

import numpy as np
import pytest

from fgbench.annotation.timeline_import import TimelinePlan, import_timelines
from fgbench.datasets import fg_emotions
from fgbench.errors import DatasetError
from fgbench.media.images import read_image
from fgbench.media.video import open_video
from fgbench.taxonomy import UnknownLabelError, ontology
from tests.support.timelines import textgrid, write_eaf
from tests.support.video_files import write_clip

SURE = [(0.1, "very"), (0.6, "1"), (0.7, "1"), (1.2, "1.5"), (1.9, "1")]


def find(label):
    try:
        return ontology("fg33").find(label)
    except UnknownLabelError:
        return None


def film(root, name="film", n_frames=50):
    """A recording of 25 frames a second in the data set."""
    path = root / "videos" / f"{name}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_clip(path, n_frames)


def take(root, *files, **settings):
    return import_timelines(TimelinePlan(root=root, files=files, find=find, **settings))


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def reasons(done):
    return [(one.reason, one.annotator) for one in done.rejects]


def test_an_interval_of_a_whole_file_is_a_clip_without_cutting(tmp_path):
    film(tmp_path)
    path = write_eaf(tmp_path / "film.eaf", {"label": [(0.0, 2.0, "Anger")], "key_frame": [(0.48, 0.52, "")]})
    done = take(tmp_path, path)
    assert (done.n_added, done.n_cut, done.rejects) == (1, 0, ())
    assert rows(tmp_path / "annotations.csv") == [
        {"clip": "film.mp4", "label": "anger", "key_frame": "12", "source": "film"}
    ]
    (entry,) = fg_emotions.list_clips(tmp_path)
    assert (entry.clip_id, entry.label, entry.key_frame, entry.problem) == ("film", "anger", 12, None)
    again = take(tmp_path, path)
    assert (again.n_added, again.n_same) == (0, 1)


def test_parts_of_a_recording_are_cut_without_loss_or_rejected(tmp_path):
    recording = film(tmp_path)
    grid = tmp_path / "film.TextGrid"
    tiers = {"label": [(0.4, 0.8, "anger"), (1.2, 1.6, "wrath")], "key_frame": [(0.5, 0.5, "apex")]}
    grid.write_text(textgrid(tiers, 2.0), encoding="utf-8")
    refused = take(tmp_path, grid)
    assert reasons(refused) == [("part_of_recording", "")] * 2
    assert "frames 10 to 19 of 50" in refused.rejects[0].detail
    assert not (tmp_path / "annotations.csv").exists()
    done = take(tmp_path, grid, cut=True)
    assert (done.n_added, done.n_cut, done.rejects) == (2, 2, ())
    assert rows(tmp_path / "annotations.csv")[0] == {
        "clip": "film/00000400-00000800",
        "label": "anger",
        "key_frame": "2",
        "source": "film",
        "fps": "25",
    }
    entries = fg_emotions.list_clips(tmp_path)
    assert [entry.problem for entry in entries] == [None, None]
    with (
        open_video(recording) as whole,
        open_video(tmp_path / entries[0].path, "pictures") as part,
    ):
        expected = [frame.rgb() for frame in whole.frames(range(10, 20))]
        actual = [frame.rgb() for frame in part.frames()]
    assert np.array_equal(expected, actual)
    first = read_image(tmp_path / "videos" / "film" / "00000400-00000800" / "000000.png")
    assert np.array_equal(first, expected[0])


def test_a_time_origin_before_the_recording(tmp_path):
    """A beginning that is early by a little is that of the recording; one that is earlier is rejected."""
    film(tmp_path)
    path = write_eaf(tmp_path / "film.eaf", {"label": [(0.0, 0.4, "anger")]}, origin_ms=-100)
    done = take(tmp_path, path, cut=True)
    assert (done.n_added, done.n_cut, done.rejects) == (1, 1, ())
    (row,) = rows(tmp_path / "annotations.csv")
    assert row["clip"] == "film/00000000-00000300"
    write_eaf(path, {"label": [(0.0, 0.9, "anger")]}, origin_ms=-300)
    done = take(tmp_path, path, cut=True)
    assert (done.n_added, reasons(done)) == (0, [("before_recording", "")])


def test_a_class_that_spreadsheets_take_for_a_formula_is_there_already(tmp_path):
    """Its cell has an apostrophe, and is the same answer when it is imported again."""
    film(tmp_path)
    path = write_eaf(tmp_path / "film.eaf", {"label": [(0.0, 2.0, "=happy")]})
    for counts in ((1, 0), (0, 1)):
        done = import_timelines(TimelinePlan(root=tmp_path, files=(path,), find=str))
        assert (done.n_added, done.n_same, done.rejects) == (*counts, ())
    assert rows(tmp_path / "annotations.csv")[0]["label"] == "'=happy"
    assert fg_emotions.list_clips(tmp_path)[0].label == "=happy"


def test_annotators_of_one_recording_become_votes_on_one_clip(tmp_path):
    film(tmp_path)
    ann = write_eaf(
        tmp_path / "ann.eaf",
        {"label@Ann": [(0.4, 1.0, "anger")], "key_frame@Ann": [(0.6, 0.64, "")]},
    )
    ben = write_eaf(tmp_path / "ben.eaf", {"label": [(0.48, 1.08, "wrath")]}, annotators={"label": "Ben"})
    done = take(tmp_path, ben, ann, cut=True)
    assert (done.table.name, done.n_added, done.n_cut, done.rejects) == ("votes.csv", 2, 1, ())
    (entry,) = fg_emotions.list_clips(tmp_path)
    assert (entry.clip_id, entry.source_id) == ("film/00000400-00001000", "film")
    assert {(vote.annotator, vote.label, vote.key_frame) for vote in entry.votes} == {
        ("Ann", "anger", 5),
        ("Ben", "wrath", None),
    }
    cem = write_eaf(tmp_path / "cem.eaf", {"label@Cem": [(0.36, 0.96, "anger")]})
    later = take(tmp_path, cem, cut=True)
    assert (later.table.name, later.n_added) == ("votes.csv", 1)
    (entry,) = fg_emotions.list_clips(tmp_path)
    assert len(entry.votes) == 3


def test_one_reject_for_each_interval_and_mark_that_cannot_be_used(tmp_path):
    film(tmp_path)
    path = write_eaf(
        tmp_path / "film.eaf",
        {
            "label@ann": [
                (0.0, 0.4, "anger"),
                (0.5, 0.9, "no such class"),
                (1.0, 1.4, "wrath"),
                (5.0, 6.0, "anger"),
            ],
            "key_frame@ann": [(0.1, 0.1, ""), (0.45, 0.45, ""), (1.1, 1.1, ""), (1.2, 1.2, "")],
            "label@ben": [(0.1, 0.9, "anger"), (-1, -1, "anger")],
        },
    )
    lost = write_eaf(tmp_path / "lost.eaf", {"label": [(0.0, 1.0, "anger")]}, media="nowhere.mp4")
    done = take(tmp_path, path, lost, cut=True)
    assert sorted(reasons(done)) == [
        ("key_frame_outside", "ann"),
        ("missing_file", ""),
        ("no_frames", "ann"),
        ("no_time", ""),
        ("overlap", "ben"),
        ("several_key_frames", "ann"),
        ("unknown_label", "ann"),
    ]
    assert [row["clip"] for row in rows(done.table)] == ["film/00000000-00000400"]
    assert any("'no such class' is no class" in line for line in done.lines())
    assert len(done.to_json()["rejects"]) == 7


def test_another_answer_stays_as_it_is_and_is_told(tmp_path):
    film(tmp_path)
    (tmp_path / "annotations.csv").write_text("clip;label;remark\nfilm.mp4;wrath;kept\n", encoding="utf-8")
    path = write_eaf(tmp_path / "film.eaf", {"label": [(0.0, 2.0, "anger")]})
    before = (tmp_path / "annotations.csv").read_bytes()
    done = take(tmp_path, path)
    assert reasons(done) == [("other_answer", "")]
    assert (tmp_path / "annotations.csv").read_bytes() == before
    film(tmp_path, "other")
    more = write_eaf(tmp_path / "more.eaf", {"label": [(0.0, 2.0, "anger")]}, media="other.mp4")
    take(tmp_path, more)
    assert (tmp_path / "annotations.csv").read_text(encoding="utf-8") == (
        "clip;label;remark;key_frame;source\nfilm.mp4;wrath;kept;;\nother.mp4;anger;;;other\n"
    )


def test_a_recording_beside_the_file_need_not_lie_in_the_data_set(tmp_path):
    root, desk = tmp_path / "data", tmp_path / "desk"
    root.mkdir()
    desk.mkdir()
    film(tmp_path).rename(desk / "film.mp4")
    path = write_eaf(desk / "film.eaf", {"label": [(0.0, 2.0, "anger")]})
    done = take(root, path, cut=True)
    assert (done.n_cut, done.rejects) == (1, ())
    (entry,) = fg_emotions.list_clips(root)
    assert (entry.clip_id, entry.problem) == ("film/00000000-00002000", None)


def test_a_media_path_opens_nothing_outside(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    film(tmp_path, "secret")
    path = write_eaf(root / "a.eaf", {"label": [(0.0, 1.0, "anger")]}, media="../videos/secret.mp4")
    assert reasons(take(root, path, cut=True)) == [("missing_file", "")]


def test_faults_of_a_whole_file_change_nothing(tmp_path):
    film(tmp_path)
    good = write_eaf(tmp_path / "good.eaf", {"label": [(0.0, 2.0, "anger")]})
    other = write_eaf(tmp_path / "other.eaf", {"emotion": [(0.0, 2.0, "anger")]})
    with pytest.raises(DatasetError, match="has no tier 'label' of labels; its tiers: emotion"):
        take(tmp_path, good, other)
    assert not (tmp_path / "annotations.csv").exists()
    assert take(tmp_path, other, label_tier="emotion").n_added == 1
    with pytest.raises(DatasetError, match="of no known tool"):
        take(tmp_path, tmp_path / "a.txt")


def test_a_folder_with_other_files_is_not_written_over(tmp_path):
    film(tmp_path)
    folder = tmp_path / "videos" / "film" / "00000400-00000800"
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("mine", encoding="utf-8")
    path = write_eaf(tmp_path / "film.eaf", {"label": [(0.4, 0.8, "anger")]})
    done = take(tmp_path, path, cut=True)
    assert [one.reason for one in done.rejects] == ["folder_in_use"]
    assert [item.name for item in folder.iterdir()] == ["mine.txt"]


def test_recordings_of_one_name_do_not_write_over_each_other(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    files = []
    for number, desk in enumerate(("one", "two")):
        (tmp_path / desk).mkdir()
        write_clip(tmp_path / desk / "film.mp4", 50 - number, pictures=_plain(50 - number, 60 * number))
        files.append(write_eaf(tmp_path / desk / "film.eaf", {"label": [(0.4, 0.8, "anger")]}))
    first = take(root, files[0], cut=True)
    before = {path: path.read_bytes() for path in root.rglob("*.png")}
    again = take(root, *files, cut=True)
    assert (first.n_added, again.n_added, again.n_same) == (1, 0, 1)
    assert reasons(again) == [("folder_in_use", "")]
    assert {path: path.read_bytes() for path in root.rglob("*.png")} == before


def _plain(n_frames, brightness):
    for number in range(n_frames):
        yield np.full((48, 64, 3), brightness + number, np.uint8)


def test_odd_cells_of_a_table_that_is_there_are_no_error_of_ours(tmp_path):
    film(tmp_path)
    (tmp_path / "votes.csv").write_text("clip,annotator,label,round\nfilm,ann,anger,x\n", encoding="utf-8")
    path = write_eaf(tmp_path / "film.eaf", {"label@ben": [(0.0, 2.0, "wrath")]})
    assert take(tmp_path, path).n_added == 1


def test_a_tier_of_confidences_gives_each_answer_its_own(tmp_path):
    """A mark in the interval of the same annotator; ELAN and Praat alike; a column of the table."""
    film(tmp_path)
    eaf = write_eaf(
        tmp_path / "film.eaf",
        {
            "label@ann": [(0.0, 0.4, "anger"), (0.5, 0.9, "wrath"), (1.0, 1.4, "anger"), (1.5, 1.9, "wrath")],
            "confidence@ann": [(0.0, 0.4, "0,75"), (0.6, 0.6, "80 %"), (1.0, 1.4, "4/5")],
        },
    )
    grid = tmp_path / "film.TextGrid"
    tiers = {"label@ben": [(0.0, 0.4, "wrath")], "confidence@ben": [(0.2, 0.2, "1")]}
    grid.write_text(textgrid(tiers, 2.0), encoding="utf-8")
    done = take(tmp_path, eaf, grid, cut=True)
    assert (done.n_added, done.rejects) == (5, ())
    confidences = {(row["clip"][-17:], row["annotator"]): row["confidence"] for row in rows(done.table)}
    assert confidences == {
        ("00000000-00000400", "ann"): "0.75",
        ("00000000-00000400", "ben"): "1",
        ("00000500-00000900", "ann"): "0.8",
        ("00001000-00001400", "ann"): "0.8",
        ("00001500-00001900", "ann"): "",
    }
    first = next(entry for entry in fg_emotions.list_clips(tmp_path) if entry.clip_id.endswith("00000400"))
    assert {(vote.annotator, vote.confidence) for vote in first.votes} == {("ann", 0.75), ("ben", 1.0)}
    again = take(tmp_path, eaf, grid, cut=True)
    assert (again.n_added, again.n_same, again.n_cut, again.rejects) == (0, 5, 0, ())


def test_confidences_that_cannot_be_used(tmp_path):
    """The answer is not imported without its confidence, so that it can be corrected and imported again."""
    film(tmp_path)
    path = write_eaf(
        tmp_path / "film.eaf",
        {
            "label": [(0.0, 0.4, "anger"), (0.5, 0.9, "wrath"), (1.0, 1.4, "anger")],
            "sure": [
                (0.1, 0.1, "very"),
                (0.6, 0.6, "1"),
                (0.7, 0.7, "1"),
                (1.2, 1.2, "1.5"),
                (1.9, 1.9, "1"),
            ],
        },
    )
    done = take(tmp_path, path, cut=True, confidence_tier="sure")
    assert [one.reason for one in done.rejects] == [
        "bad_confidence",
        "several_confidences",
        "bad_confidence",
        "confidence_outside",
    ]
    assert "confidence is 'very', expected 0 to 1, as 0.8, 80 % or 4/5" in done.rejects[0].detail
    assert not (tmp_path / "annotations.csv").exists()


def test_another_confidence_than_in_the_table_is_told(tmp_path):
    film(tmp_path)
    path = write_eaf(tmp_path / "film.eaf", {"label": [(0.0, 2.0, "anger")]})
    take(tmp_path, path)
    write_eaf(path, {"label": [(0.0, 2.0, "anger")], "confidence": [(1.0, 1.0, "0.5")]})
    done = take(tmp_path, path)
    assert reasons(done) == [("other_answer", "")]
    assert "confidence ''" in done.rejects[0].detail


def test_an_interval_beyond_the_end_of_the_recording_is_rejected(tmp_path):
    """One that ends late by a little ends with the recording, as one that begins early begins with it."""
    film(tmp_path)
    path = write_eaf(tmp_path / "film.eaf", {"label": [(0.4, 1.0, "anger"), (1.2, 2.15, "wrath")]})
    done = take(tmp_path, path, cut=True)
    assert [row["clip"] for row in rows(done.table)] == ["film/00000400-00001000", "film/00001200-00002000"]
    assert done.rejects == ()
    write_eaf(path, {"label": [(0.4, 1.0, "anger"), (1.2, 12.0, "wrath")]})
    done = take(tmp_path, path, cut=True)
    assert reasons(done) == [("after_recording", "")]
    assert "ends 10.000 s after the recording, which has 2.000 s" in done.rejects[0].detail


@pytest.mark.parametrize(
    ("step_ms", "fps"), [((20,), "50"), ((40,), "25"), ((33,), "30.30303"), ((20, 60), "26.470588")]
)
def test_cut_clips_have_the_rate_of_their_recording(tmp_path, step_ms, fps):
    """The mean rate of the clip where that of the recording varies: here frames of 20 and 60 ms in turn."""
    times, at = [], 0
    for number in range(40):
        times.append(at)
        at += step_ms[number % len(step_ms)]
    (tmp_path / "videos").mkdir()
    write_clip(tmp_path / "videos" / "film.mp4", 40, times_ms=times)
    path = write_eaf(tmp_path / "film.eaf", {"label": [(0.2, 0.6, "anger")]})
    done = take(tmp_path, path, cut=True)
    assert done.rejects == ()
    assert rows(tmp_path / "annotations.csv")[0]["fps"] == fps
    (entry,) = fg_emotions.list_clips(tmp_path)
    assert (entry.fps, entry.problem) == (float(fps), None)
