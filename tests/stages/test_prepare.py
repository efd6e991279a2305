"""``fgbench prepare`` as a whole, on clips without faces: buckets, resuming, rejects, publishing."""

import pyarrow.parquet as pq
import pytest

from fgbench.config import PrepareConfig
from fgbench.errors import DatasetError, ManifestError, RejectRateError, ResourceError
from fgbench.files.hashing import bucket_of
from fgbench.preparation import prepare
from fgbench.preparation.stages.publish import verify
from fgbench.storage import exclusive, read_rows
from fgbench.workfolders.manifest_index import read_index
from tests.support.clip_folders import add_clip, contents, write_folder, write_plain_clip
from tests.support.video_files import cut, write_audio, write_clip

# Whole frames stand for faces: what is tested here is the machinery.
WHOLE = {"align": "never"}


def recipe(**sections):
    return PrepareConfig.model_validate({"name": "test", "buckets": 16, "faces": WHOLE, **sections})


def rows(work, name):
    return list(read_rows(work / "manifests" / name))


@pytest.mark.slow
def test_clips_become_manifests(tmp_path):
    root, work = write_folder(tmp_path / "in", 40), tmp_path / "work"
    report = prepare.run(recipe(), root, work)
    clips = rows(work, "clips.parquet")
    assert [clip["clip_id"] for clip in clips] == [f"c{number:03d}" for number in range(40)]
    assert all(
        clip["n_frames"] == 8 and clip["key_frame"] == 4 and clip["decoder"] == "pyav" for clip in clips
    )
    assert all(clip["n_faces_ok"] == 8 and clip["n_images"] == 7 for clip in clips)
    assert {clip["basic"] for clip in clips if clip["label"] == "wrath"} == {"anger"}
    by_part = {part: counts["clips"] for part, counts in report.counts.items()}
    assert sum(by_part.values()) == 40
    assert report.counts["train"]["augmented"] == 2 * report.counts["train"]["images"]
    assert report.counts["test"]["augmented"] == report.counts["test"]["images"]
    assert verify(work) == []


@pytest.mark.slow
def test_a_second_run_does_nothing(tmp_path):
    root, work = write_folder(tmp_path / "in", 6), tmp_path / "work"
    first = prepare.run(recipe(), root, work)
    before = contents(work)
    second = prepare.run(recipe(), root, work)
    assert (first.published, second.published, second.done) == (True, False, 0)
    assert contents(work) == before
    assert second.counts == first.counts


@pytest.mark.slow
def test_workers_do_not_change_a_byte(tmp_path):
    root = write_folder(tmp_path / "in", 20)
    prepare.run(recipe(), root, tmp_path / "one", jobs=1)
    prepare.run(recipe(), root, tmp_path / "three", jobs=3)
    assert contents(tmp_path / "one" / "manifests") == contents(tmp_path / "three" / "manifests")


@pytest.mark.slow
def test_one_more_clip_redoes_only_its_bucket(tmp_path):
    root, work = write_folder(tmp_path / "in", 200, n_frames=3), tmp_path / "work"
    config = recipe(buckets=64, sample={"before": 1, "after": 1})
    prepare.run(config, root, work, jobs=2)
    before = contents(work / "manifests")
    add_clip(root, "extra", "worry", n_frames=3, key_frame=1)
    report = prepare.run(config, root, work)
    # One bucket in every stage, no other.
    assert {stage.stage: stage.done for stage in report.stages if stage.buckets} == dict.fromkeys(
        ("ingest", "consensus", "split", "sample", "faces", "augment", "lbp"), 1
    )
    after = contents(work / "manifests")
    bucket = f"{bucket_of('extra', 64):05d}"
    changed = {name for name in after if before.get(name) != after[name]}
    assert {name for name in changed if "/" in name} <= {
        f"faces/{bucket}.parquet",
        *(f"images/{part}-{bucket}.parquet" for part in ("train", "val", "test")),
        f"features/lbp/{bucket}.parquet",
    }
    old = {row["clip_id"]: row for row in rows(work, "clips.parquet") if row["clip_id"] != "extra"}
    assert len(old) == 200


@pytest.mark.slow
def test_a_change_of_the_recipe_redoes_only_what_depends_on_it(tmp_path):
    root, work = write_folder(tmp_path / "in", 6), tmp_path / "work"
    prepare.run(recipe(), root, work)
    report = prepare.run(recipe(augment={"copies": 2}), root, work)
    assert {stage.stage for stage in report.stages if stage.done} == {"augment", "lbp"}
    back = prepare.run(recipe(), root, work)
    assert (back.done, back.published) == (0, True)


@pytest.mark.slow
def test_a_lost_result_is_made_again(tmp_path):
    root, work = write_folder(tmp_path / "in", 6), tmp_path / "work"
    prepare.run(recipe(), root, work)
    before = contents(work / "manifests")
    lost = next((work / "stages" / "sample").glob("*.rows.parquet"))
    lost.unlink()
    assert prepare.run(recipe(), root, work).done == 1
    assert contents(work / "manifests") == before


@pytest.mark.slow
def test_touched_files_are_read_again_but_nothing_follows(tmp_path):
    root, work = write_folder(tmp_path / "in", 6), tmp_path / "work"
    prepare.run(recipe(), root, work)
    (root / "videos" / "c000.mp4").touch()
    report = prepare.run(recipe(), root, work)
    assert {stage.stage: stage.done for stage in report.stages if stage.done} == {"ingest": 1}


@pytest.mark.slow
def test_dry_run_tells_and_writes_nothing(tmp_path):
    root, work = write_folder(tmp_path / "in", 6), tmp_path / "work"
    assert prepare.preview(recipe(), root, work).waiting > 0
    assert not work.exists()
    prepare.run(recipe(), root, work)
    before = contents(work)
    assert prepare.preview(recipe(), root, work).waiting == 0
    add_clip(root, "extra", "worry")
    waiting = {stage.stage: stage.waiting for stage in prepare.preview(recipe(), root, work).stages}
    off = {"audit", "dense_trajectories", "optical_flow", "wide_faces"}
    assert {stage for stage, count in waiting.items() if count != 1} == off
    assert contents(work) == before


@pytest.mark.slow
def test_prune_finds_only_what_is_not_used(tmp_path):
    root, work = write_folder(tmp_path / "in", 6), tmp_path / "work"
    prepare.run(recipe(), root, work)
    assert prepare.unused_files(recipe(), root, work) == []
    prepare.run(recipe(augment={"copies": 2}), root, work)
    unused = prepare.unused_files(recipe(augment={"copies": 2}), root, work)
    assert unused
    assert {path.parent.name for path in unused} == {"augment", "lbp"}
    for path in unused:
        path.unlink()
    assert prepare.run(recipe(augment={"copies": 2}), root, work).done == 0


def bad_folder(root):
    """Ten good clips and one of each kind of bad one; returns clip id to reason."""
    write_folder(root, 10)
    videos = root / "videos"
    (videos / "empty.mp4").write_bytes(b"")
    (videos / "text.mp4").write_text("not a video\n" * 40)
    # Cut at 60 %: with the table of contents at the end of the file, and at its front.
    cut(write_clip(root / "end.mp4"), videos / "cut.mp4", fraction=0.6)
    front = write_clip(root / "front.mp4", container_options={"movflags": "+faststart"})
    cut(front, videos / "cut-front.mp4", fraction=0.6)
    write_audio(videos / "audio.mp4")
    write_plain_clip(videos / "late.mp4", 8)
    write_plain_clip(videos / "label.mp4", 8)
    write_plain_clip(videos / "Ünïcödé 表情.mp4", 8)
    write_plain_clip(videos / ("n" * 200 + ".mp4"), 8)
    write_plain_clip(root.parent / "outside.mp4", 8)
    expected = {
        "empty": "empty_file",
        "text": "unreadable",
        "cut": "truncated",
        "cut-front": "truncated",
        "audio": "no_video_stream",
        "late": "key_frame_outside",
        "label": "unknown_label",
        "absent": "missing_file",
        "twice": "duplicate_id",
        "../outside": "path_outside_root",
        "m" * 300: "missing_file",
    }
    keys = {"late": 8}
    with (root / "annotations.csv").open("a", encoding="utf-8") as file:
        for name in expected:
            label = "angr" if name == "label" else "anger"
            for _ in range(2 if name == "twice" else 1):
                file.write(f"{name}.mp4,{label},{keys.get(name, 2)},s1\n")
        file.write(f"Ünïcödé 表情.mp4,anger,2,s1\n{'n' * 200}.mp4,anger,2,s1\n")
    return expected


@pytest.mark.slow
def test_every_bad_clip_is_a_reject_with_its_reason(tmp_path):
    root, work = tmp_path / "in", tmp_path / "work"
    expected = bad_folder(root)
    report = prepare.run(recipe(max_reject_rate=0.6), root, work)
    rejects = {row["id"]: row for row in rows(work, "rejects.parquet")}
    assert {clip: row["reason"] for clip, row in rejects.items()} == expected
    assert all(row["detail"] and row["stage"] == "ingest" for row in rejects.values())
    assert "did you mean 'anger'" in rejects["label"]["detail"]
    assert "has frames 0 to 7" in rejects["late"]["detail"]
    used = {row["clip_id"] for row in rows(work, "clips.parquet")}
    assert used == {*(f"c{number:03d}" for number in range(10)), "Ünïcödé 表情", "n" * 200}
    assert report.clips == len(used) + len(expected)


@pytest.mark.slow
def test_too_many_rejects_stop_the_run_and_name_the_worst(tmp_path):
    root, work = tmp_path / "in", tmp_path / "work"
    bad_folder(root)
    with pytest.raises(RejectRateError, match=r"rejected 11 of 23 clips.*: missing_file \(2\)"):
        prepare.run(recipe(max_reject_rate=0.2), root, work)
    with pytest.raises(ManifestError, match="no complete manifests"):
        read_index(work)


@pytest.mark.slow
def test_votes_settle_clips_and_list_those_to_annotate_again(tmp_path):
    root, work = tmp_path / "in", tmp_path / "work"
    for name in ("good", "split", "gone"):
        write_plain_clip(root / "videos" / f"{name}.mp4", 20)
    lines = ["clip,annotator,label,confidence,key_frame,round"]
    for index, label in enumerate(["anger", "anger", "anger", "wrath", "hate"]):
        lines.append(f"good,{index},{label},0.9,{8 + index % 2},1")
        lines.append(f"split,{index},{['anger', 'wrath'][index % 2] if index < 4 else 'hate'},0.9,8,1")
        lines.append(f"gone,{index},{['anger', 'wrath'][index % 2] if index < 4 else 'hate'},0.9,8,2")
    (root / "votes.csv").write_text("\n".join(lines) + "\n")
    prepare.run(recipe(max_reject_rate=0.7), root, work)
    (clip,) = rows(work, "clips.parquet")
    assert (clip["clip_id"], clip["label"], clip["key_frame"]) == ("good", "anger", 8)
    assert clip["agreement"] == pytest.approx(0.6)
    reasons = {row["id"]: row["reason"] for row in rows(work, "rejects.parquet")}
    assert reasons == {"split": "reannotate", "gone": "dropped"}
    again = (work / "manifests" / "reannotate.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in again] == ["clip", "split"]


@pytest.mark.slow
def test_experts_selection_is_the_image_set(tmp_path):
    root, work = write_folder(tmp_path / "in", 3), tmp_path / "work"
    (root / "selection.csv").write_text("clip,frame\nc000,1\nc000,7\nc001,99\n")
    prepare.run(recipe(augment={"balance": "none"}), root, work)
    images = [row for path in sorted((work / "manifests" / "images").iterdir()) for row in read_rows(path)]
    assert [(row["clip_id"], row["frame_index"], row["offset"]) for row in images] == [
        ("c000", 1, -3),
        ("c000", 7, 3),
    ]
    assert [row["reason"] for row in rows(work, "rejects.parquet")] == ["selected_frame_outside"]


@pytest.mark.slow
def test_augmentation_reaches_exact_totals_and_never_crosses_parts(tmp_path):
    root, work = write_folder(tmp_path / "in", 50), tmp_path / "work"
    totals = {"balance": "total", "train": 400, "val": 0, "test": 151}
    sizes = {"train": 30, "val": 10, "test": 10}
    config = recipe(augment=totals, split={**sizes, "group_by": "clip_id", "assign": "exact"})
    report = prepare.run(config, root, work, jobs=2)
    counts = {part: (one["clips"], one["images"], one["augmented"]) for part, one in report.counts.items()}
    assert counts == {"train": (30, 210, 400), "val": (10, 70, 70), "test": (10, 70, 151)}
    images = [row for path in sorted((work / "manifests" / "images").iterdir()) for row in read_rows(path)]
    part_of = {row["image_id"]: row["split"] for row in images}
    assert len(part_of) == len(images)
    copies = [row for row in images if row["parent_id"] is not None]
    assert all(part_of[row["parent_id"]] == row["split"] for row in copies)
    parts = {row["clip_id"]: row["split"] for row in rows(work, "clips.parquet")}
    assert all(parts[row["clip_id"]] == row["split"] for row in images)


@pytest.mark.slow
def test_copies_can_be_made_again_from_their_parameters(tmp_path):
    from fgbench.media.images import decode, encode
    from fgbench.preparation.augmentation import Augmentation, apply

    root, work = write_folder(tmp_path / "in", 4), tmp_path / "work"
    prepare.run(recipe(split={"train": 1, "val": 0, "test": 0}), root, work)
    images = [row for path in sorted((work / "manifests" / "images").iterdir()) for row in read_rows(path)]
    by_id = {row["image_id"]: row for row in images}
    copies = [row for row in images if row["parent_id"] is not None]
    assert copies
    for copy in copies:
        parent = decode(by_id[copy["parent_id"]]["image"]["bytes"])
        made = apply(parent, Augmentation(**copy["augmentation"]))
        assert encode(made, "jpeg", 95) == copy["image"]["bytes"]


def test_faces_stored_as_png_are_exact(tmp_path):
    from fgbench.media.images import decode
    from fgbench.media.video import open_video

    root, work = write_folder(tmp_path / "in", 1), tmp_path / "work"
    prepare.run(recipe(faces={"align": "never", "format": "png", "chip_size": 64}), root, work)
    (path,) = (work / "manifests" / "faces").iterdir()
    stored = list(read_rows(path))
    with open_video(root / "videos" / "c000.mp4") as reader:
        shapes = [frame.rgb().shape for frame in reader.frames()]
    assert shapes[0] == (48, 64, 3)
    assert decode(stored[0]["image"]["bytes"]).shape == (64, 64, 3)
    assert stored[0]["image"]["path"].endswith(".png")


@pytest.mark.slow
def test_damage_to_the_manifests_is_found(tmp_path):
    root, work = write_folder(tmp_path / "in", 4), tmp_path / "work"
    prepare.run(recipe(), root, work)
    manifests = work / "manifests"
    clips = manifests / "clips.parquet"
    data = bytearray(clips.read_bytes())
    data[40] ^= 1
    clips.write_bytes(bytes(data))
    next((manifests / "faces").iterdir()).unlink()
    (manifests / "stray.txt").write_text("x")
    assert [fault.split(": ", 1)[1] for fault in verify(work)] == [
        "content differs from the index",
        "missing",
        "not in the index",
    ]
    assert prepare.run(recipe(), root, work).published
    assert pq.read_table(clips).num_rows == 4


def test_two_runs_at_once_are_refused(tmp_path):
    root, work = write_folder(tmp_path / "in", 2), tmp_path / "work"
    with exclusive(work), pytest.raises(ResourceError, match="another fgbench process"):
        prepare.run(recipe(), root, work)


def test_an_empty_list_is_an_error(tmp_path):
    (tmp_path / "annotations.csv").write_text("clip,label\n")
    with pytest.raises(DatasetError, match="lists no clips"):
        prepare.run(recipe(), tmp_path, tmp_path / "work")


def test_groups_need_their_column(tmp_path):
    root = write_folder(tmp_path / "in", 3)
    with pytest.raises(DatasetError, match="has no source_id"):
        prepare.run(recipe(split={"group_by": "source_id"}), root, tmp_path / "work")


@pytest.mark.slow
def test_official_parts_are_kept(tmp_path):
    root, work = write_folder(tmp_path / "in", 3), tmp_path / "work"
    (root / "annotations.csv").write_text(
        "clip,label,split\nc000,anger,val\nc001,anger,val\nc002,anger,test\n"
    )
    prepare.run(recipe(), root, work)
    assert {row["clip_id"]: row["split"] for row in rows(work, "clips.parquet")} == {
        "c000": "val",
        "c001": "val",
        "c002": "test",
    }
