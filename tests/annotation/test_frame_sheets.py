"""Frames that experts select from: which, their pictures, the pages, and their folder."""

import json
import re

import cv2
import numpy as np
import pytest

import fgbench
from fgbench.annotation.selection import frame_sheets
from fgbench.annotation.selection.offered_frames import offered_clips
from fgbench.errors import ConfigError, ManifestError
from fgbench.media.images import decode
from fgbench.workfolders.folder import published_recipe
from tests.support.selection_folders import write_selection_work
from tests.support.tiny_manifests import encoded

CLIPS = {"film/b": ("anger", 4), "a": ("relief", 0), "c": ("panic", None)}
HOSTILE = "</script><script>window.hacked = 1</script>"


def block(page):
    """Data of a page."""
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


def offered(work):
    return {clip.clip_id: clip for clip in offered_clips(work, published_recipe(work))}


def test_frames_near_the_key_frame_are_offered_with_their_neighbours(tmp_path):
    """Two before and one after, as the recipe says; the middle stands for a missing key frame."""
    _, work = write_selection_work(tmp_path, CLIPS, without={("film/b", 3), ("film/b", 1)})
    clips = offered(work)
    assert list(clips) == ["a", "c", "film/b"]
    assert (clips["film/b"].frames, clips["film/b"].context, clips["film/b"].n_without) == (
        (2, 4, 5),
        (6,),
        1,
    )
    assert (clips["a"].frames, clips["a"].context, clips["a"].key_frame) == ((0, 1), (2,), 0)
    assert (clips["c"].frames, clips["c"].is_settled) == ((2, 3, 4, 5), False)


def test_clips_that_are_not_settled_are_not_offered(tmp_path):
    _, work = write_selection_work(tmp_path, CLIPS | {"d": (None, 4)})
    assert "d" not in offered(work)


@pytest.mark.parametrize(("kind", "suffix"), [("jpeg", "jpg"), ("png", "png")])
def test_faces_are_written_as_they_are_stored_and_neighbours_in_small(tmp_path, kind, suffix):
    _, work = write_selection_work(tmp_path, CLIPS, kind=kind)
    out = tmp_path / "out"
    sheets = fgbench.export_frames(work, out)
    (page,) = sheets.pages
    clip = next(clip for clip in block(page)["clips"] if clip["id"] == "film/b")
    assert clip["files"]["4"] == f"000004.{suffix}"
    assert (out / clip["folder"] / clip["files"]["4"]).read_bytes() == encoded(204, kind=kind)
    small = decode((out / clip["folder"] / clip["files"]["6"]).read_bytes())
    exact = cv2.resize(decode(encoded(206, kind=kind)), (96, 96), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - exact).mean() < 3
    assert clip["frames"][2] == [4, 0.16, 40.0, 0.5]
    assert (sheets.clips, sheets.frames, sheets.frames_without) == (3, 10, 0)
    written = sum(path.stat().st_size for path in out.rglob("*") if path.suffix in (".html", ".jpg", ".png"))
    assert sheets.bytes == written - (out / "index.html").stat().st_size


def test_names_like_markup_stay_text(tmp_path):
    """A class cannot end the element of the data, and no text of the data is in the page as markup."""
    _, work = write_selection_work(tmp_path, {"a": (HOSTILE, 4)})
    sheets = fgbench.export_frames(work, tmp_path / "out")
    (page,) = sheets.pages
    assert block(page)["clips"][0]["label"] == HOSTILE
    for path in (page, tmp_path / "out/index.html"):
        text = path.read_text(encoding="utf-8")
        assert HOSTILE not in text
        policy = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)[1]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in re.sub(r'http-equiv="Content-Security-Policy"', "", text)


def test_many_clips_are_divided_into_pages_with_tables_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(frame_sheets, "SHEET_CLIPS", 2)
    _, work = write_selection_work(tmp_path, CLIPS)
    sheets = fgbench.export_frames(work, tmp_path / "out")
    blocks = [block(page) for page in sheets.pages]
    assert [[clip["id"] for clip in one["clips"]] for one in blocks] == [["a", "c"], ["film/b"]]
    assert [one["table"] for one in blocks] == ["selection-0001.csv", "selection-0002.csv"]
    assert len({one["id"] for one in blocks}) == 2


def test_the_same_faces_have_the_same_progress_whatever_else_changes(tmp_path):
    """The id of a page is of its clips, frames and pictures: a corrected class loses no decision."""
    ids = []
    for name, changed in (("first", {}), ("label", {"a": ("anger", 0)}), ("key", {"a": ("relief", 1)})):
        _, work = write_selection_work(tmp_path / name, CLIPS | changed)
        ids.append(block(fgbench.export_frames(work, tmp_path / name / "out").pages[0])["id"])
    assert ids[0] == ids[1] != ids[2]


def test_an_earlier_export_is_replaced_and_other_files_are_left_alone(tmp_path):
    out = tmp_path / "out"
    _, work = write_selection_work(tmp_path / "first", CLIPS)
    fgbench.export_frames(work, out)
    before = {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    fgbench.export_frames(work, out)
    assert {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    _, fewer = write_selection_work(tmp_path / "second", {"a": CLIPS["a"]})
    fgbench.export_frames(fewer, out)
    names = sorted(path.name for path in (out / "pictures").rglob("*.jpg"))
    assert names == ["000000.jpg", "000001.jpg", "000002-small.jpg"]
    (tmp_path / "own").mkdir()
    (tmp_path / "own/notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty"):
        fgbench.export_frames(work, tmp_path / "own")
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["notes.txt"]


def test_work_without_manifests_or_frames_to_select_from_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="no complete manifests"):
        fgbench.export_frames(tmp_path / "none", tmp_path / "out")
    _, work = write_selection_work(tmp_path / "classless", {"a": (None, 4)})
    with pytest.raises(ConfigError, match="no clip with a class"):
        fgbench.export_frames(work, tmp_path / "out")
    _, work = write_selection_work(tmp_path / "faceless", {"a": CLIPS["a"]}, without={("a", 0), ("a", 1)})
    with pytest.raises(ConfigError, match="no usable face near a key frame"):
        fgbench.export_frames(work, tmp_path / "out")
    assert not (tmp_path / "out").exists()
