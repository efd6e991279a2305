"""The data set on disk: files, truth, reproducibility, resumption, refusals."""

import csv
import json
import shutil

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from fgbench.datasets import fg_emotions
from fgbench.errors import ConfigError, ManifestError
from fgbench.synthetic.action_units import NAMES
from fgbench.synthetic.clip import draw_clip
from fgbench.synthetic.dataset import SynthOptions, generate, is_complete
from fgbench.synthetic.face import Head
from fgbench.synthetic.plan import plan

OPTIONS = SynthOptions(
    clips_per_class=1, subjects=3, width=320, height=240, seed=11, min_duration_s=0.5, max_duration_s=0.64
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small data set, drawn by one process."""
    calls = []
    out = generate(
        tmp_path_factory.mktemp("synth") / "set", OPTIONS, progress=lambda *call: calls.append(call)
    )
    return out, calls


def contents(root):
    """Bytes of all files by relative path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


@pytest.mark.slow
def test_files_and_progress(made):
    out, calls = made
    assert is_complete(out)
    names = set(contents(out))
    clips = {f"videos/{clip.clip_id}.mp4" for clip in plan(OPTIONS)}
    assert names == clips | {"annotations.csv", "truth.parquet", "synthetic.json"}
    assert calls == [(done, 33) for done in range(34)]
    marker = json.loads((out / "synthetic.json").read_text())
    assert marker["synthetic"] is True
    assert "real faces" in marker["note"]
    assert marker["clips"] == 33
    assert marker["options"]["seed"] == 11
    assert "control" not in marker["options"]


@pytest.mark.slow
def test_videos_are_plain_h264_and_match_the_truth(made):
    out, _ = made
    truth = pq.read_table(out / "truth.parquet", columns=["clip_id", "is_key_frame"]).to_pandas()
    frames = truth.groupby("clip_id").size()
    assert json.loads((out / "synthetic.json").read_text())["frames"] == len(truth)
    assert truth.groupby("clip_id")["is_key_frame"].sum().eq(1).all()
    for clip_id, n_frames in frames.items():
        with av.open(str(out / "videos" / f"{clip_id}.mp4")) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
            assert (stream.width, stream.height, stream.average_rate) == (320, 240, 25)
            assert not any("time" in key or "date" in key for key in container.metadata)
            assert sum(1 for _ in container.decode(video=0)) == n_frames


@pytest.mark.slow
def test_index_stands_before_the_pictures(made):
    out, _ = made
    data = next((out / "videos").iterdir()).read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


@pytest.mark.slow
def test_annotations_are_read_by_the_adapter(made):
    out, _ = made
    with (out / "annotations.csv").open(newline="") as file:
        header = next(csv.reader(file))
    assert header == ["clip", "label", "key_frame", "confidence", "subject", "source"]
    truth = pq.read_table(out / "truth.parquet", filters=[("is_key_frame", "=", True)]).to_pandas()
    key_frames = dict(zip(truth["clip_id"], truth["frame_index"], strict=True))
    entries = list(fg_emotions.list_clips(out))
    assert len(entries) == 33
    for entry in entries:
        label, subject, _ = entry.clip_id.rsplit("_", 2)
        assert entry.problem is None
        assert (entry.label, entry.subject_id, entry.confidence) == (label, subject, 1.0)
        assert entry.key_frame == key_frames[entry.clip_id]
        assert (out / entry.path).is_file()


@pytest.mark.slow
def test_truth_columns(made):
    out, _ = made
    table = pq.read_table(out / "truth.parquet").to_pandas()
    clip = draw_clip(plan(OPTIONS)[5], OPTIONS)
    rows = table[table["clip_id"] == clip.plan.clip_id].reset_index(drop=True)
    assert rows["frame_index"].tolist() == list(range(len(rows)))
    assert rows["time_s"].to_numpy() == pytest.approx(np.arange(len(rows)) / 25)
    assert rows["label"].eq(clip.plan.label).all()
    assert rows["phase"].tolist() == clip.performance.timing.phases()
    head = Head(clip.person, clip.scene.camera)
    for number in (0, clip.performance.timing.key_frame):
        seen = head.seen(clip.performance.activations[number], clip.pose(number))
        row = rows.iloc[number]
        assert np.stack(row["landmarks"]).reshape(68, 2) == pytest.approx(seen.landmarks_px, abs=1e-3)
        assert row["yaw_deg"] == pytest.approx(seen.pose.yaw_deg, abs=1e-5)
    intensities = table[[f"au{au:02d}" for au in NAMES]].to_numpy()
    assert intensities.min() == 0
    assert intensities.max() <= 1
    contempt = table[(table["label"] == "contempt") & table["is_key_frame"]].iloc[0]
    assert contempt["au12_r"] > 0.25
    assert contempt["au12_l"] < 0.15
    assert contempt["au12"] == contempt["au12_r"]


@pytest.mark.slow
def test_workers_change_no_byte(made, tmp_path):
    out, _ = made
    assert contents(generate(tmp_path / "two", OPTIONS, jobs=2)) == contents(out)


@pytest.mark.slow
def test_an_interrupted_run_is_continued(made, tmp_path):
    out, _ = made
    copy = tmp_path / "copy"
    shutil.copytree(out, copy)
    # As after a kill: no marker, no tables, some clips missing, one half-written.
    record = json.loads((copy / "synthetic.json").read_text())
    unfinished = {key: record[key] for key in ("generator_version", "options")}
    (copy / "synthetic-unfinished.json").write_text(json.dumps(unfinished))
    for name in ("synthetic.json", "annotations.csv", "truth.parquet"):
        (copy / name).unlink()
    videos = sorted((copy / "videos").iterdir())
    (copy / "videos" / f"{videos[0].name}.tmp-9999999").write_bytes(b"half")
    kept = {path: path.stat().st_mtime_ns for path in videos[3:]}
    for path in videos[:3]:
        path.unlink()
    generate(copy, OPTIONS)
    assert contents(copy) == contents(out)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.slow
def test_a_complete_set_is_left_alone(made):
    out, _ = made
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    generate(out, OPTIONS)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


@pytest.mark.slow
def test_a_kill_in_the_middle_leaves_no_half_file(tmp_path, monkeypatch):
    from fgbench.synthetic import render

    class Killed(BaseException):
        pass

    frames = iter(range(40))
    patch = render.Renderer.patch

    def dying(self, *args, **kwargs):
        if next(frames, None) is None:
            raise Killed
        return patch(self, *args, **kwargs)

    monkeypatch.setattr(render.Renderer, "patch", dying)
    with pytest.raises(Killed):
        generate(tmp_path / "set", OPTIONS)
    assert not is_complete(tmp_path / "set")
    for path in (tmp_path / "set" / "videos").iterdir():
        assert path.suffix == ".mp4"
        with av.open(str(path)) as container:
            assert sum(1 for _ in container.decode(video=0)) >= 12


@pytest.mark.slow
def test_other_options_are_refused(made):
    out, _ = made
    before = contents(out)
    other = SynthOptions(**{**json.loads((out / "synthetic.json").read_text())["options"], "seed": 12})
    with pytest.raises(ConfigError, match="seed is 11 there, 12 wanted") as caught:
        generate(out, other)
    assert "another folder" in caught.value.hint
    assert contents(out) == before


def test_foreign_folders_and_files_are_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not empty"):
        generate(tmp_path, OPTIONS)
    with pytest.raises(ConfigError, match="is a file"):
        generate(tmp_path / "thesis.txt", OPTIONS)
    assert contents(tmp_path) == {"thesis.txt": b"mine"}


def test_videos_are_drawn_through_no_link(tmp_path):
    mine, out = tmp_path / "mine", tmp_path / "out"
    for folder in (mine, out):
        folder.mkdir()
    (out / "videos").symlink_to(mine)
    with pytest.raises(ConfigError, match="is a link"):
        generate(out, OPTIONS)
    assert list(mine.iterdir()) == []


@pytest.mark.parametrize("text", ["[]", "{}", "1", '{"options": 3}', "NaN", "[" * 5000])
def test_a_description_of_another_shape_is_one_clear_error(tmp_path, text):
    (tmp_path / "synthetic-unfinished.json").write_text(text)
    with pytest.raises((ConfigError, ManifestError), match=r"synthetic-unfinished\.json"):
        generate(tmp_path, OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["synthetic-unfinished.json"]
