"""Data sets made again from publications: the same, or what differs, and that no publication leads astray."""

import shutil

import pyarrow.parquet as pq
import pytest

from fgbench import storage
from fgbench.catalogue.carried_listing import adapter_of, read_entries
from fgbench.errors import ConfigError, ManifestError
from fgbench.files.hashing import digest_file
from fgbench.preparation.prepare import run, saved
from fgbench.preparation.stages.publish import verify
from fgbench.publication import layout
from fgbench.publication.proof_lines import proof_lines
from fgbench.storage import read_rows
from fgbench.workfolders.manifest_index import read_index
from fgbench.workfolders.sealed_json import read_sealed, write_sealed
from tests.support.plain_data import prepared, published, write_plain_video
from tests.support.rebuilt_work import made, rewritten, sealed_again

pytestmark = pytest.mark.slow


def tables(work):
    files = read_index(work)["files"]
    return {name: reported["sha256"] for name, reported in files.items() if name.endswith(".parquet")}


@pytest.fixture
def clips(plain, tmp_path):
    """The clips alone, without annotations, in a folder of their own."""
    shutil.copytree(plain / "clips" / "videos", tmp_path / "mine" / "videos")
    return tmp_path / "mine"


def test_clips_alone_give_every_table_again(plain, clips, tmp_path):
    proof = made(plain / "out", clips, tmp_path / "work")
    assert proof.is_same
    assert (proof.clips, proof.frames, list(proof.differences), dict(proof.moved)) == (9, 54, [], {})
    assert tables(tmp_path / "work") == tables(plain / "work")
    assert verify(tmp_path / "work") == []
    first, second = (read_index(folder)["origin"]["recipe"] for folder in (plain / "work", tmp_path / "work"))
    assert first == second
    assert sorted(path.name for path in clips.iterdir()) == ["videos"], "nothing is written beside the clips"
    (line,) = proof_lines(proof, full=False)
    assert line == (
        "clips is the published data set: 9 clips, 54 frames; files, labels, parts, landmarks and pixels are "
        "the same"
    )


def test_what_is_made_again_is_a_work_folder_like_any_other(plain, clips, tmp_path):
    work = tmp_path / "work"
    made(plain / "out", clips, work)
    config, root = saved(work)
    again = run(config, root, work)
    assert (again.done, again.published) == (0, False)
    units = list(adapter_of(config.dataset, root).action_units(root))
    assert units == list(adapter_of(config.dataset, plain / "clips").action_units(plain / "clips"))
    assert len(units) == 2 * 9
    published(work, tmp_path / "second")
    assert (tmp_path / "second" / "clips" / "train.parquet").read_bytes() == (
        plain / "out" / "clips" / "train.parquet"
    ).read_bytes()


def test_a_second_rebuild_computes_nothing(plain, clips, tmp_path):
    made(plain / "out", clips, tmp_path / "work")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "work" / "stages").rglob("*")}
    assert made(plain / "out", clips, tmp_path / "work").is_same
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "work" / "stages").rglob("*")} == before


def test_moved_clips_are_found_by_their_digests(plain, clips, tmp_path):
    other = clips / "elsewhere" / "x.bin"
    other.parent.mkdir()
    (clips / "videos" / "film0" / "c0.mp4").rename(other)
    proof = made(plain / "out", clips, tmp_path / "work")
    assert proof.is_same
    assert dict(proof.moved) == {"videos/film0/c0.mp4": "elsewhere/x.bin"}
    assert tables(tmp_path / "work") == tables(plain / "work")
    assert proof_lines(proof, full=False)[0] == (
        "1 file found elsewhere by digest: videos/film0/c0.mp4 as elsewhere/x.bin"
    )


def test_swapped_clips_are_told_apart(plain, clips, tmp_path):
    one, other = (clips / "videos" / name for name in ("film0/c0.mp4", "film1/c1.mp4"))
    data = one.read_bytes(), other.read_bytes()
    one.write_bytes(data[1])
    other.write_bytes(data[0])
    proof = made(plain / "out", clips, tmp_path / "work")
    assert proof.is_same
    assert proof.moved["videos/film0/c0.mp4"] == "videos/film1/c1.mp4"


def test_missing_clips_are_rejects_and_leave_the_parts_of_others(plain, clips, tmp_path):
    kept = {"film0/c0", "film1/c5"}
    for path in sorted((clips / "videos").rglob("*.mp4")):
        if f"{path.parent.name}/{path.stem}" not in kept:
            path.unlink()
    proof = made(plain / "out", clips, tmp_path / "work")
    assert not proof.is_same
    assert [one.missing for one in proof.differences] == [True] * 7
    rejects = list(read_rows(tmp_path / "work" / "manifests" / "rejects.parquet"))
    assert {row["reason"] for row in rejects} == {"missing_file"}
    parts = {
        row["clip_id"]: row["split"] for row in read_rows(plain / "work" / "manifests" / "clips.parquet")
    }
    assert {row["id"]: row["split"] for row in rejects} == {
        clip_id: part for clip_id, part in parts.items() if clip_id not in kept
    }
    here = {
        row["clip_id"]: row["split"] for row in read_rows(tmp_path / "work" / "manifests" / "clips.parquet")
    }
    assert here == {clip_id: parts[clip_id] for clip_id in kept}
    reported = proof_lines(proof, full=False)
    assert reported[0] == "clips is not the published data set: 7 of 9 clips differ"
    assert reported[1].startswith("  missing: 7 (videos/film0/c2.mp4, ")
    assert reported[1].endswith(" and 2 more)")


def test_other_bytes_are_told_with_what_they_change(plain, clips, tmp_path):
    write_plain_video(clips / "videos" / "film0" / "c0.mp4", 0, qp=40)
    write_plain_video(clips / "videos" / "film1" / "c1.mp4", 1, n_frames=5)
    proof = made(plain / "out", clips, tmp_path / "work")
    coded, shorter = proof.differences
    assert (coded.clip_id, coded.other_bytes, dict(coded.values)) == ("film0/c0", True, {})
    assert (coded.faces.frames, coded.faces.pixels, coded.faces.statuses) == (6, 6, 0)
    assert coded.images > 0
    assert (shorter.other_bytes, shorter.values["n_frames"]) == (True, (6, 5))
    assert (shorter.faces.frames, shorter.faces.gone) == (5, 1)
    text = "\n".join(proof_lines(proof, full=False))
    assert "other bytes: 2 (videos/film0/c0.mp4, videos/film1/c1.mp4)" in text
    assert "another frames: 1 (film1/c1: 6 there, 5 here)" in text
    assert "aligned faces have other pixels in" in text
    write_plain_video(clips / "videos" / "film0" / "c0.mp4", 0)
    write_plain_video(clips / "videos" / "film1" / "c1.mp4", 1)
    assert made(plain / "out", clips, tmp_path / "work").is_same, "mended, and made again"


def test_other_versions_are_told(plain, clips, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    index = read_sealed(out / "published.json")
    index["provenance"]["packages"]["dlib-bin"] = "19.0"
    index["provenance"]["fgbench"] = "0.0.1"
    write_sealed(out / "published.json", index)
    proof = made(out, clips, tmp_path / "work")
    assert proof.is_same, "another version divides by the published parts"
    assert proof.versions["dlib-bin"][0] == "19.0"
    assert proof.versions["fgbench"][0] == "0.0.1"
    assert "dlib-bin 19.0 there" in proof_lines(proof, full=False)[-1]
    parts = {
        row["clip_id"]: row["split"] for row in read_rows(plain / "work" / "manifests" / "clips.parquet")
    }
    assert {
        entry.clip_id: entry.split for entry in read_entries(tmp_path / "work/source/.fgbench-published")
    } == (parts)


def test_published_values_that_do_not_come_out_again_are_told(plain, clips, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)

    def otherwise(row):
        return {**row, "label": "gloom", "key_frame": 1} if row["clip_id"] == "film0/c0" else row

    part = next(
        path
        for path in layout.parts_of(out, "clips")
        if "film0/c0" in pq.read_table(path)["clip_id"].to_pylist()
    )
    sealed_again(out, lambda _: rewritten(part, otherwise))
    (one,) = made(out, clips, tmp_path / "work").differences
    assert dict(one.values) == {"label": ("gloom", "wrath"), "key_frame": (1, 0)}


def test_folds_go_along(plain, clips, tmp_path):
    protocol = {"kind": "k-fold", "folds": 3, "group_by": "clip_id"}
    root = plain / "clips"
    work = prepared(root, tmp_path / "folded", protocol=protocol)
    ids = [row["clip_id"] for row in read_rows(work / "manifests" / "clips.parquet")]
    text = "".join(f"{name},{number % 3 + 1}\n" for number, name in enumerate(ids))
    storage.write_text(work / "folds" / "3-fold-by-clip.csv", f"clip_id,fold\n{text}")
    published(work, tmp_path / "out")
    assert made(tmp_path / "out", clips, tmp_path / "work").is_same
    kept = tmp_path / "work" / "folds" / "3-fold-by-clip.csv"
    assert kept.read_text() == f"clip_id,fold\n{text}"


def test_folders_of_pictures_and_still_pictures_come_out_again(tmp_path):
    import numpy as np

    from fgbench.media.images import encode

    root = tmp_path / "stills"
    for number in range(4):
        label = ("joy", "anger")[number % 2]
        for frame in range(3 if number < 2 else 1):
            position = f"{label}/clip{number}/f{frame}.png" if number < 2 else f"{label}/s{number}.png"
            (root / position).parent.mkdir(parents=True, exist_ok=True)
            picture = np.full((48, 48, 3), 40 * number + 5 * frame, np.uint8)
            picture[:8, : 8 + number] = 200
            (root / position).write_bytes(encode(picture, "png", 0))
    dataset = {"adapter": "folder", "scheme": "found"}
    work = prepared(root, tmp_path / "work", dataset=dataset, split={"cover_all_classes": False})
    published(work, tmp_path / "out")
    files = [row["path"] for row in read_rows(tmp_path / "out" / "files.parquet")]
    assert len(files) == 8, "every picture of a folder"
    assert made(tmp_path / "out", root, tmp_path / "again").is_same
    assert tables(tmp_path / "again") == tables(work)


def test_a_model_file_has_to_be_the_same(plain, clips, tmp_path):
    from fgbench.errors import DependencyError

    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    index = read_sealed(out / "published.json")
    model = tmp_path / "yunet.onnx"
    model.write_bytes(b"weights")
    with pytest.raises(ConfigError, match="names no model file"):
        made(out, clips, tmp_path / "work", detector_model=model)
    index["models"] = {"yunet.onnx": digest_file(model)}
    write_sealed(out / "published.json", index)
    with pytest.raises(DependencyError, match=r"needs the model file 'yunet\.onnx'"):
        made(out, clips, tmp_path / "work")
    assert made(out, clips, tmp_path / "work", detector_model=model).is_same
    model.write_bytes(b"others")
    with pytest.raises(DependencyError, match="is not the model file"):
        made(out, clips, tmp_path / "work", detector_model=model)


def test_the_list_of_a_data_set_is_read_as_it_was_written(tmp_path):
    from fgbench.catalogue.carried_listing import read_action_units, write_listing
    from fgbench.records import AuRow, ClipEntry, Vote

    vote = Vote(annotator="ada", label="wrath", confidence=None, key_frame=3, round=2)
    entries = [
        ClipEntry(
            clip_id="a", path="a.mp4", votes=(vote, vote), selected_frames=(1, 4), stills_only=True, fold=3
        ),
        ClipEntry(
            clip_id="b", path="b", problem=("missing_file", "no b"), confidence=0.25, selected_frames=()
        ),
        ClipEntry(clip_id="c", path="c", label="x", key_frame=7, split="val", last_unit_frame=9),
    ]
    units = [
        AuRow(clip_id="a", frame_index=None, labels={"au1": 1, "au2": -1}),
        AuRow(clip_id="a", frame_index=0, labels={}),
        AuRow(clip_id="c", frame_index=0, labels={"au1": 0}),
    ]
    write_listing(tmp_path, entries, units)
    assert read_entries(tmp_path) == entries
    assert list(read_action_units(tmp_path)) == units


def test_recipes_of_other_versions_are_told(plain, clips, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    index = read_sealed(out / "published.json")
    index["asked"]["sample"]["before"] = "many"
    write_sealed(out / "published.json", index)
    with pytest.raises(ManifestError, match=r"recipe of the publication is not valid \(sample.before"):
        made(out, clips, tmp_path / "work")
