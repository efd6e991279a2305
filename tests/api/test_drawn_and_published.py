"""Data sets drawn, published without their faces, made again and compared, from Python."""

import csv

import pyarrow.parquet as pq
import pytest

import fgbench
from fgbench.api.features import write_trajectories
from fgbench.media.images import read_image

pytestmark = pytest.mark.slow

SMALL = {"clips_per_class": 1, "subjects": 1, "width": 160, "height": 120, "control": "motion"}


def test_a_data_set_is_drawn_as_its_settings_say(tmp_path):
    out = fgbench.synth(tmp_path / "drawn", jobs=1, progress=False, **SMALL)
    assert out == tmp_path / "drawn"
    with (out / "annotations.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(list((out / "videos").iterdir())) == 3
    assert len({row["label"] for row in rows}) == 3
    assert fgbench.synth(sheet=tmp_path / "sheet.png") is None
    height, width, _ = read_image(tmp_path / "sheet.png").shape
    assert width == 7 * 300
    assert height % 5 == 0
    with pytest.raises(fgbench.FgbenchError, match="nothing to draw"):
        fgbench.synth()
    with pytest.raises(fgbench.FgbenchError, match="width of the synthetic data set is 3"):
        fgbench.synth(tmp_path / "other", width=3)
    assert not (tmp_path / "other").exists()


def test_progress_may_be_a_function(tmp_path):
    heard = []
    fgbench.synth(tmp_path / "drawn", jobs=1, progress=lambda *told: heard.append(told), **SMALL)
    assert heard[0] == ("draw", 0, 3)
    assert heard[-1] == ("draw", 3, 3)


def test_a_published_data_set_is_made_again_and_proved_the_same(work, tmp_path):
    publication = fgbench.publish(
        work.path, tmp_path / "published", without_pixels=True, jobs=1, progress=False
    )
    assert publication.rows["clips"] == len(work.clips)
    assert publication.rows["faces"] == len(work.faces())
    assert publication.n_sources == len(work.clips)
    assert not [*publication.folder.rglob("*.jpg"), *publication.folder.rglob("*.png")]
    data = work.path.parents[2] / "drawn"
    proof = fgbench.rebuild(
        publication.folder, data, workdir=tmp_path / "again" / "work", jobs=1, progress=False
    )
    assert proof.is_same, proof.lines(full=True)
    assert proof.clips == len(work.clips)
    same = fgbench.diff(work.path, publication.folder)
    assert same.is_same
    assert same.lines()[-1] == "no difference"
    with pytest.raises(fgbench.FgbenchError, match="without_pixels: not given"):
        fgbench.publish(work.path, tmp_path / "other")


def test_what_differs_is_written_as_a_table(work, tmp_path):
    other = fgbench.prepare(
        work.path.parents[2] / "drawn",
        settings={"split.seed": 5},
        workdir=tmp_path / "work",
        jobs=2,
        progress=False,
    )
    found = fgbench.diff(work.path, other.path, out=tmp_path / "all.csv")
    parts = work.clips.set_index("clip_id")["split"]
    now = other.clips.set_index("clip_id")["split"]
    moved = sorted(parts.index[parts != now.reindex(parts.index)])
    assert moved
    assert [change.where for change in found.of("part")] == moved
    with (tmp_path / "all.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["where"] for row in rows if row["what"] == "part"] == moved
    (tmp_path / "mine.csv").write_text("a,b\n")
    with pytest.raises(fgbench.FgbenchError, match="is no table of fgbench diff"):
        fgbench.diff(work.path, other.path, out=tmp_path / "mine.csv")


def test_trajectories_of_a_video_are_written(work, tmp_path):
    video = work.path.parents[2] / "drawn" / "videos" / "c00.mp4"
    written = write_trajectories(video, tmp_path / "t.parquet", max_side_px=160, progress=False)
    assert pq.read_metadata(written.path).num_rows == written.trajectories
    assert (written.clip_id, written.width, written.height) == ("c00", 160, 120)
    assert written.to_json()["bytes"] == written.path.stat().st_size
    with pytest.raises(fgbench.FgbenchError, match="is there already") as refused:
        write_trajectories(video, tmp_path / "t.parquet")
    assert refused.value.argument == "out"
