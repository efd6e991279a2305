"""Which clip a name means."""

import pytest

from fgbench.errors import DatasetError
from fgbench.inference.other_programs.clip_names import ClipNames

CLIPS = [("film1/a", "videos/film1/a.mp4"), ("film2/a", "videos/film2/a.mp4"), ("b.v2", "videos/b.v2.mp4")]
SAMPLES = {"film1/a-f00004": ("film1/a", 4)}


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("film1/a", "film1/a"),
        ("film1/a.avi", "film1/a"),
        ("videos/film2/a.mp4", "film2/a"),
        ("./my-clips/videos/film2/a.mp4", "film2/a"),
        ("C:\\data\\videos\\film1\\a.mp4", "film1/a"),
        ("/mnt/film1/a.mp4", "film1/a"),
        ("b.v2", "b.v2"),
        ("b.v2.mp4", "b.v2"),
        ("film3/a", None),
        ("xfilm1/a", None),
        ("c", None),
        ("", None),
    ],
)
def test_ids_paths_and_their_ends(name, clip):
    assert ClipNames(CLIPS).find(name) == (None if clip is None else (clip, None))


def test_a_file_name_that_one_clip_alone_has():
    names = ClipNames([("film1/a", "videos/film1/a.mp4"), ("film2/c", "videos/film2/c.mp4")])
    assert names.find("c.mp4") == ("film2/c", None)
    with pytest.raises(DatasetError, match=r"'a\.mp4' may be any of 2 clips: film1/a, film2/a"):
        ClipNames(CLIPS).find("a.mp4")


def test_pictures_of_the_image_set():
    names = ClipNames(CLIPS, SAMPLES)
    assert names.find("film1/a-f00004") == ("film1/a", 4)
    assert names.find("/crops/film1/a-f00004.jpg") == ("film1/a", 4)
