"""The adapter of FER2013: the table, the folders, and the votes of FER+."""

import numpy as np
import pytest

from fgbench.datasets.fer2013 import list_clips, majority
from fgbench.errors import DatasetError, MediaError
from fgbench.media import video
from tests.support.fake_trees import Prepared, pixels, write_picture, write_text
from tests.support.layouts.fer2013 import FOLDERS, HEAD, VOTES_HEAD, row, write_folders, write_table


def test_folders_named_as_the_table_names_its_parts(tmp_path):
    for part in ("Training", "PublicTest", "PrivateTest"):
        for folder in FOLDERS:
            write_picture(tmp_path / part / folder / f"{part}_1.jpg", folder)
    entries = list_clips(tmp_path, "folders")
    assert sorted(entry.split for entry in entries) == ["test"] * 14 + ["train"] * 7
    assert len({entry.clip_id for entry in entries}) == 21


def test_rows_of_the_table(tmp_path):
    entries = list_clips(write_table(tmp_path))
    assert [entry.clip_id for entry in entries] == [f"fer{number:07d}" for number in range(21)]
    assert [entry.split for entry in entries[::7]] == ["train", "val", "test"]
    labels = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    assert [entry.label for entry in entries[:7]] == labels
    assert entries[3].path == "fer2013.csv/3"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_pixels_are_those_of_the_row(tmp_path, newline):
    write_table(tmp_path, 3, newline=newline)
    path = tmp_path / "fer2013.csv" / "2"
    assert video.decoder_for(path) == "pixel_rows"
    with video.open_video(path, "pixel_rows") as reader:
        assert (reader.info.n_frames, reader.info.width, reader.info.fps) == (1, 48, None)
        (frame,) = reader.frames()
    expected = pixels("row 2", "2")
    assert np.array_equal(frame.rgb(), np.stack([expected] * 3, axis=-1))
    other = video.media_digest(tmp_path / "fer2013.csv" / "1", "pixel_rows")
    assert video.media_digest(path, "pixel_rows") != other


@pytest.mark.parametrize(
    ("line", "row_name", "message"),
    [
        ("0,1 2 3,Training", "0", "3 pixels, expected a square"),
        ("0,1 2 3 256,Training", "0", "expected a square of numbers from 0 to 255"),
        ("0,a b,Training", "0", "expected a square"),
        ("0,,Training", "0", "0 pixels"),
        ("0,1,Training", "1", "has no row 1, it has 1"),
        ("0,1,Training", "x", "has no row x"),
    ],
)
def test_bad_rows_are_explained(tmp_path, line, row_name, message):
    write_text(tmp_path / "fer2013.csv", f"{HEAD}\n{line}\n")
    with pytest.raises(MediaError, match=message):
        video.open_video(tmp_path / "fer2013.csv" / row_name, "pixel_rows")


def test_rows_keep_a_limit_of_pixels(tmp_path):
    write_text(tmp_path / "fer2013.csv", f"{HEAD}\n0,{'7 ' * 400},Training\n0,{'9 ' * 399}9,Test\n")
    for number in range(2):
        path = tmp_path / "fer2013.csv" / str(number)
        with video.open_video(path, "pixel_rows") as reader:
            assert reader.info.width == 20
        with pytest.raises(MediaError, match="has more than 399 pixels") as caught:
            video.open_video(path, "pixel_rows", limits=video.Limits(max_picture_px=399))
        assert caught.value.reason == "too_large"


def test_a_large_picture_in_a_row_is_read(tmp_path):
    """Of more letters than Python's CSV reader takes by default."""
    write_text(tmp_path / "fer2013.csv", f"{HEAD}\n0,{'123 ' * 300**2},Training\n0,1,Test\n")
    with video.open_video(tmp_path / "fer2013.csv" / "0", "pixel_rows") as reader:
        assert reader.info.width == 300
    with video.open_video(tmp_path / "fer2013.csv" / "1", "pixel_rows") as reader:
        assert reader.info.width == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (row(0), r"fer2013\.csv has no column emotion, pixels, usage; its first line is '0,"),
        (f"{HEAD}\n7,1,Training\n", "line 2: label '7' is outside the range 0 to 6"),
        (f"{HEAD}\n1,1,Testing\n", "line 2: Usage is 'Testing'"),
        (f"{HEAD}\n1\n", "line 2 has 1 cells"),
    ],
)
def test_wrong_tables_name_the_line(tmp_path, text, message):
    write_text(tmp_path / "fer2013.csv", text)
    with pytest.raises(DatasetError, match=message):
        list_clips(tmp_path)


def test_each_layout_names_the_other(tmp_path):
    write_folders(tmp_path / "folders")
    with pytest.raises(DatasetError, match="use the recipe fer2013-folders"):
        list_clips(tmp_path / "folders")
    with pytest.raises(DatasetError, match="has no folders train/ and test/"):
        list_clips(write_table(tmp_path / "table"), "folders")


@pytest.mark.slow
def test_prepared_from_the_table(tmp_path):
    root = write_table(tmp_path / "archive" / "fer2013", head="emotion, pixels, Usage")
    write_text(root / "fer2013.csv", (root / "fer2013.csv").read_text() + "0,1 2 3,Training\n")
    made = Prepared("fer2013", tmp_path / "archive", tmp_path / "work")
    assert made.rejects == {"fer0000021": "unreadable_image"}
    assert {part: counts["clips"] for part, counts in made.report.counts.items()} == dict.fromkeys(
        ("train", "val", "test"), 7
    )
    clip = made.clips["fer0000002"]
    assert (clip["label"], clip["align"], clip["width"], clip["decoder"]) == (
        "fear",
        "none",
        48,
        "pixel_rows",
    )
    assert len(made.images) == 21


@pytest.mark.slow
def test_a_change_of_the_table_is_seen(tmp_path):
    root = write_table(tmp_path / "fer")
    Prepared("fer2013", root, tmp_path / "work")
    write_table(root, 22)
    again = Prepared("fer2013", root, tmp_path / "work")
    assert len(again.clips) == 22


@pytest.mark.slow
def test_prepared_from_folders(tmp_path):
    made = Prepared("fer2013-folders", write_folders(tmp_path / "fer"), tmp_path / "work")
    assert len(made.clips) == 28
    assert made.clips["train/sadness/Train_0"]["split"] == "train"
    assert made.index["protocol"]["selection"] == []


@pytest.mark.parametrize(
    ("votes", "label"),
    [
        ({"happiness": 6, "neutral": 4}, "happiness"),
        ({"happiness": 5, "neutral": 5}, None),
        ({"happiness": 5, "neutral": 3, "fear": 1, "sadness": 1}, "happiness"),  # 5 of 8 without single votes
        ({"happiness": 4, "neutral": 4, "fear": 2}, None),
        ({"nf": 9, "neutral": 1}, None),
        ({"unknown": 6, "neutral": 4}, None),
        ({"neutral": 1}, None),
    ],
)
def test_majority_of_votes(votes, label):
    assert majority(votes) == label


@pytest.mark.slow
def test_prepared_from_votes(tmp_path):
    root = write_table(tmp_path / "fer", 4)
    votes = [
        "Training,fer0000000.png,0,0,0,0,0,0,0,10,0,0",
        "Training,,0,0,0,0,0,0,0,0,0,10",
        "Training,fer0000002.png,5,5,0,0,0,0,0,0,0,0",
        "Training,fer0000003.png,0,8,0,1,0,1,0,0,0,0",
    ]
    write_text(root / "fer2013new.csv", "\n".join([VOTES_HEAD, *votes]) + "\n")
    made = Prepared("fer-plus", root, tmp_path / "work")
    assert {name: clip["label"] for name, clip in made.clips.items()} == {
        "fer0000000": "contempt",
        "fer0000003": "happiness",
    }
    write_text(root / "fer2013new.csv", "\n".join([VOTES_HEAD, *votes[:3]]) + "\n")
    with pytest.raises(DatasetError, match="has 3 rows and the table of pixels 4"):
        list_clips(root, "ferplus")
    (root / "fer2013new.csv").unlink()
    with pytest.raises(DatasetError, match=r"has no file fer2013new\.csv"):
        list_clips(root, "ferplus")
