"""Clips that are exchanged while, or after, they are prepared."""

import os
import shutil

import pyarrow.parquet as pq
import pytest

from fgbench.config import load_prepare
from fgbench.preparation import prepare
from fgbench.preparation.stages import faces, ingest
from fgbench.storage import read_rows
from tests.support.clip_folders import LABELS, write_plain_clip
from tests.support.fake_trees import write_text


@pytest.fixture
def data(tmp_path):
    root = tmp_path / "data"
    lines = ["clip,label,key_frame,split"]
    for number, name in enumerate(("a", "b", "c")):
        write_plain_clip(root / "videos" / f"{name}.mp4", seed=number)
        lines.append(f"{name},{LABELS[number]},4,train")
    write_text(root / "annotations.csv", "\n".join(lines))
    write_plain_clip(tmp_path / "other.mp4", seed=9)
    return root


def recipe(**changes):
    config = load_prepare("default")
    update = {
        "faces": config.faces.model_copy(update={"align": "never"}),
        "lbp": config.lbp.model_copy(update={"enabled": False}),
        "buckets": 2,
        **changes,
    }
    return config.model_copy(update=update)


def digests(work):
    return {row["clip_id"]: row["sha256"] for row in read_rows(work / "manifests" / "clips.parquet")}


def rejects(work):
    return {row["id"]: row["reason"] for row in read_rows(work / "manifests" / "rejects.parquet")}


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["faces", "dense_trajectories"])
def test_a_clip_exchanged_after_ingest_is_rejected_and_taken_when_it_is_back(data, tmp_path, stage):
    trajectories = load_prepare("default").dense_trajectories.model_copy(update={"enabled": True})
    config = recipe(dense_trajectories=trajectories)
    clip, kept = data / "videos" / "a.mp4", tmp_path / "kept.mp4"

    def progress(name, done, total):
        if name == stage and not kept.exists():
            clip.rename(kept)
            shutil.copy(tmp_path / "other.mp4", clip)

    work = tmp_path / "work"
    prepare.run(config, data, work, progress=progress)
    assert rejects(work) == {"a": "changed_meanwhile"}
    clip.unlink()
    kept.rename(clip)
    prepare.run(config, data, work)
    assert rejects(work) == {}
    clean = tmp_path / "clean"
    prepare.run(config, data, clean)
    assert digests(work) == digests(clean)
    assert prepare.run(config, data, work).done == 0


@pytest.mark.slow
@pytest.mark.parametrize("until", ["ingest", "augment"])
def test_a_clip_that_was_another_while_it_was_read_is_read_again(data, tmp_path, until):
    clip, kept = data / "videos" / "a.mp4", tmp_path / "kept.mp4"

    def progress(name, done, total):
        if name == "ingest" and not done:
            clip.rename(kept)
            shutil.copy(tmp_path / "other.mp4", clip)
        elif name == until and done == total:
            kept.replace(clip)

    work = tmp_path / "work"
    prepare.run(recipe(), data, work, progress=progress)
    assert rejects(work) == {"a": "changed_meanwhile"}
    prepare.run(recipe(), data, work)
    assert rejects(work) == {}
    prepare.run(recipe(), data, tmp_path / "clean")
    assert digests(work) == digests(tmp_path / "clean")


@pytest.mark.slow
def test_a_clip_exchanged_while_it_is_probed_is_rejected(data, tmp_path, monkeypatch):
    media_digest = ingest.video.media_digest

    def exchanged(path, decoder):
        if path.name == "a.mp4":
            shutil.copy(tmp_path / "other.mp4", path)
        return media_digest(path, decoder)

    monkeypatch.setattr(ingest.video, "media_digest", exchanged)
    work = tmp_path / "work"
    prepare.run(recipe(), data, work)
    assert rejects(work)["a"] == "changed_meanwhile"


@pytest.mark.slow
def test_rows_of_a_clip_that_is_written_to_are_not_kept(data, tmp_path, monkeypatch):
    observe = faces._observe

    def written_to(reader, wanted, config):
        for row in observe(reader, wanted, config):
            yield row
            os.utime(data / "videos" / "a.mp4", ns=(1, 1))

    monkeypatch.setattr(faces, "_observe", written_to)
    prepare.run(recipe(), data, tmp_path / "work")
    assert rejects(tmp_path / "work") == {"a": "changed_meanwhile"}
    kept = pq.read_table(tmp_path / "work" / "manifests" / "faces", columns=["clip_id"])
    assert "a" not in kept["clip_id"].to_pylist()


@pytest.mark.slow
def test_a_change_that_keeps_size_and_time_is_found_when_files_are_verified(data, tmp_path):
    work = tmp_path / "work"
    clip = data / "videos" / "a.mp4"
    prepare.run(recipe(), data, work)
    before, state = digests(work), clip.stat()
    content = bytearray(clip.read_bytes())
    content[content.index(b"isom")] ^= 0x20  # a byte of the header that no decoder reads
    clip.write_bytes(content)
    os.utime(clip, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert prepare.run(recipe(), data, work).done == 0
    report = prepare.run(recipe(), data, work, verify=True, jobs=2)
    assert report.done > 0
    after = digests(work)
    assert after["a"] != before["a"]
    assert {**after, "a": ""} == {**before, "a": ""}
    assert prepare.run(recipe(), data, work, verify=True).done == 0
