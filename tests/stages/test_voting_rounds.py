"""The first voting round: many clips to vote on again are normal, and what is to be done is told."""

import csv
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.config import PrepareConfig
from fgbench.config.prepare import ConsensusConfig
from fgbench.media.images import encode
from fgbench.preparation import prepare
from fgbench.preparation.stages.consensus import rules_of
from fgbench.preparation.voting import causes_of
from fgbench.storage import read_rows
from tests.support.clip_folders import write_plain_clip
from tests.support.video_files import write_clip

RECIPE = "extends: default\nname: test\nbuckets: 4\nfaces: {align: never}\n"
AGREED = [("zeal", 0.9, 4)] * 5
NO_LABEL = [("zeal", 0.9, 4)] * 2 + [("calm", 0.9, 4)] * 2 + [("boredom", 0.9, 4)]
NO_FRAME = [("zeal", 0.9, frame) for frame in (0, 15, 30, 45, 59)]
UNSURE = [("calm", 0.2, 4)] * 5
NEITHER = [(label, 0.9, frame) for (label, _, _), (_, _, frame) in zip(NO_LABEL, NO_FRAME, strict=True)]


def write_votes(root, cast, *, n_frames=60, in_round=1):
    (root / "videos").mkdir(parents=True, exist_ok=True)
    is_new = not (root / "votes.csv").exists()
    with (root / "votes.csv").open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(["clip", "annotator", "label", "confidence", "key_frame", "round"])
        for index, (name, votes) in enumerate(cast.items()):
            if not (root / "videos" / f"{name}.mp4").exists():
                write_plain_clip(root / "videos" / f"{name}.mp4", n_frames, seed=index)
            writer.writerows([name, f"n{who}", *vote, in_round] for who, vote in enumerate(votes))
    return root


def run(tmp_path, root, recipe=""):
    path = tmp_path / "own.yaml"
    path.write_text(RECIPE + recipe + "\n")
    arguments = ["prepare", str(path), "--data-root", str(root), "--workdir", str(tmp_path / "work")]
    return CliRunner().invoke(app, [*arguments, "--jobs", "1"])


def again(tmp_path):
    with (tmp_path / "work" / "manifests" / "reannotate.csv").open(newline="") as file:
        return [row["clip"] for row in csv.DictReader(file)]


@pytest.mark.slow
def test_a_first_round_that_settles_little_ends_well_and_tells_why(tmp_path):
    cast = {"good": AGREED, "n1": NO_LABEL, "n2": NO_LABEL, "f1": NO_FRAME, "u1": UNSURE, "b1": NEITHER}
    root = write_votes(tmp_path / "in", cast)
    done = run(tmp_path, root)
    assert done.exit_code == 0, done.output
    target = tmp_path / "work" / "manifests" / "reannotate.csv"
    assert (
        "5 clips to be voted on again (not agreed on: label 3, key frame 2, confidence 1), all in "
        f"{target}; add the new votes to votes.csv with round 2, and run fgbench prepare again (fgbench "
        f"annotate export --data-root {root} --round 2 --workdir {tmp_path / 'work'} has them annotated)"
    ) in done.stdout
    command = ["annotate", "export", "--data-root", str(root), "--round", "2"]
    exported = CliRunner().invoke(
        app, [*command, "--workdir", str(tmp_path / "work"), "--annotators", "ann,ben,eve,ida,joe"]
    )
    assert exported.exit_code == 0, exported.output
    assert "5 clips" in exported.stdout
    assert "rejected" not in done.stdout
    assert "classes: 3 of your own, all that somebody voted for (boredom, " in done.stdout
    assert "); a class that the votes give to no clip is left out" in done.stdout
    assert again(tmp_path) == ["b1", "f1", "n1", "n2", "u1"]
    output = CliRunner().invoke(app, ["check", "default", "--root", str(root)]).stdout
    assert re.search(r"^\(by votes\) +6$", output, re.MULTILINE)
    write_votes(root, dict.fromkeys(("n1", "n2", "f1", "u1", "b1"), AGREED), in_round=2)
    done = run(tmp_path, root)
    assert done.exit_code == 0, done.output
    assert again(tmp_path) == []
    assert "voted on again" not in done.stdout


def test_a_round_that_settles_nothing_is_no_error(tmp_path):
    root = write_votes(tmp_path / "in", {"a": NO_LABEL, "b": NO_LABEL})
    done = run(tmp_path, root)
    assert done.exit_code == 0, done.output
    assert again(tmp_path) == ["a", "b"]
    assert "2 clips to be voted on again (not agreed on: label 2)" in done.stdout
    assert "unknown_label" not in done.output


@pytest.mark.slow
def test_a_vote_for_no_class_settles_nothing_and_leaves_the_clip_alone(tmp_path):
    settled = [("worry", 0.9, 4)] * 3 + [("unsure", 0.9, 4), ("", 0.9, 4)]
    short = [("worry", 0.9, 4)] * 2 + [("wory", 0.9, 4)] * 2 + [("wrath", 0.9, 4)]
    lost = [("wory", 0.9, 4)] * 5
    root = write_votes(tmp_path / "in", {"settled": settled, "short": short, "lost": lost})
    done = run(tmp_path, root, "dataset: {scheme: fg33}\nmax_reject_rate: 0.9")
    assert done.exit_code in (0, 4), done.output
    clips = {row["clip_id"]: row for row in read_rows(tmp_path / "work" / "manifests" / "clips.parquet")}
    assert clips.keys() == {"settled"}
    assert (clips["settled"]["label"], round(clips["settled"]["agreement"], 3)) == ("worry", 0.6)
    rejects = {
        row["id"]: (row["reason"], row["detail"])
        for row in read_rows(tmp_path / "work" / "manifests" / "rejects.parquet")
    }
    assert rejects["short"] == (
        "reannotate",
        "round 1: label: 2 of 5 agree, 3 needed (2 for no known class)",
    )
    assert rejects["lost"][0] == "unknown_label"
    assert "did you mean 'worry'?" in rejects["lost"][1]
    assert (
        "3 votes are for no class of fg33, and count for none: 'wory' 2 (did you mean 'worry'?), without a "
        "label 1\n"
    ) in done.stdout


@pytest.mark.slow
def test_votes_for_a_single_own_class_are_a_class(tmp_path):
    root = write_votes(tmp_path / "in", {"a": AGREED, "b": AGREED})
    done = run(tmp_path, root)
    assert done.exit_code == 0, done.output
    rows = list(read_rows(tmp_path / "work" / "manifests" / "clips.parquet"))
    assert [(row["clip_id"], row["label"]) for row in rows] == [("a", "zeal"), ("b", "zeal")]


@pytest.mark.slow
@pytest.mark.parametrize(("fps", "is_settled"), [(25, False), (50, True)])
def test_key_frames_agree_within_seconds_at_the_rate_of_the_clip(tmp_path, fps, is_settled):
    votes = [("zeal", 0.9, frame) for frame in (4, 8, 12, 16, 19)]
    root = write_votes(tmp_path / "in", {"a": votes})
    (root / "videos" / "a.mp4").unlink()
    times = [number * 1000 // fps for number in range(20)]
    write_clip(root / "videos" / "a.mp4", 20, size=(64, 48), times_ms=times)
    config = PrepareConfig.model_validate(
        {"name": "t", "buckets": 1, "dataset": {"scheme": "free"}, "faces": {"align": "never"}}
    )
    prepare.run(config, root, tmp_path / "work")
    actual = [row["key_frame"] for row in read_rows(tmp_path / "work" / "manifests" / "clips.parquet")]
    assert actual == ([16] if is_settled else [])


@pytest.mark.slow
@pytest.mark.parametrize(("fps", "key_frame", "duration_s"), [("", None, None), ("50", 16, 0.4)])
def test_a_folder_of_pictures_has_the_rate_that_its_row_gives(tmp_path, fps, key_frame, duration_s):
    """Without one it counts as 25 frames a second, of which 0.2 s are too few."""
    root, folder = tmp_path / "in", tmp_path / "in" / "videos" / "a"
    folder.mkdir(parents=True)
    for number in range(20):
        picture = np.full((48, 64, 3), 10 * number, np.uint8)
        (folder / f"{number:02d}.png").write_bytes(encode(picture, "png", 100))
    lines = [f"a,n{who},zeal,{frame}" for who, frame in enumerate((4, 8, 12, 16, 19))]
    (root / "votes.csv").write_text("\n".join(["clip,annotator,label,key_frame", *lines, ""]))
    (root / "annotations.csv").write_text(f"clip,fps\na,{fps}\n")
    sections = {"name": "t", "buckets": 1, "dataset": {"scheme": "free"}, "faces": {"align": "never"}}
    prepare.run(PrepareConfig.model_validate(sections), root, tmp_path / "work")
    rows = list(read_rows(tmp_path / "work" / "manifests" / "clips.parquet"))
    assert [(row["key_frame"], row["fps"], row["duration_s"]) for row in rows] == (
        [(key_frame, float(fps), pytest.approx(duration_s))] if key_frame is not None else []
    )
    rejects = read_rows(tmp_path / "work" / "manifests" / "rejects.parquet")
    (reason,) = {row["reason"] for row in rejects} or {""}
    assert reason == {"": "reannotate", "50": ""}[fps]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("frames", "key_frame"), [((2, 4, 6, 8, 10), 6), ((20, 21, 22, 26, 28), None), ((19, 20, 20, 28, 29), 20)]
)
@pytest.mark.parametrize("kind", ["a.mp4", "a.ts"])
def test_key_frames_of_a_varying_rate_agree_within_the_seconds_of_the_file(tmp_path, kind, frames, key_frame):
    """Twenty frames of 20 ms, then ten of 200 ms: 12.5 a second in the mean, of which 0.2 s are two."""
    root = write_votes(tmp_path / "in", {"a": [("zeal", 0.9, frame) for frame in frames]})
    (root / "videos" / "a.mp4").unlink()
    times = [20 * number for number in range(20)] + [400 + 200 * number for number in range(10)]
    write_clip(root / "videos" / kind, 30, size=(64, 48), times_ms=times)
    sections = {"name": "t", "buckets": 1, "dataset": {"scheme": "free"}, "faces": {"align": "never"}}
    prepare.run(PrepareConfig.model_validate(sections), root, tmp_path / "work")
    actual = [row["key_frame"] for row in read_rows(tmp_path / "work" / "manifests" / "clips.parquet")]
    assert actual == ([] if key_frame is None else [key_frame])
    # In frames it is as the recipe says, whatever the times.
    sections["consensus"] = {"key_frame_tolerance": 2}
    prepare.run(PrepareConfig.model_validate(sections), root, tmp_path / "frames")
    actual = [row["key_frame"] for row in read_rows(tmp_path / "frames" / "manifests" / "clips.parquet")]
    assert len(actual) == (frames != (2, 4, 6, 8, 10))


@pytest.mark.slow
def test_a_vote_for_a_frame_beyond_the_clip_leaves_the_others_to_settle_it(tmp_path):
    cast = {
        "most": [("zeal", 0.9, frame) for frame in (4, 5, 4, 99, 100)],
        "few": [("zeal", 0.9, frame) for frame in (4, 5, 60, 60, 60)],
        "none": [("calm", 0.9, 60)] * 5,
    }
    root = write_votes(tmp_path / "in", cast)
    done = run(tmp_path, root)
    assert done.exit_code == 0, done.output
    clips = {row["clip_id"]: row for row in read_rows(tmp_path / "work" / "manifests" / "clips.parquet")}
    assert {name: (row["label"], row["key_frame"], row["agreement"]) for name, row in clips.items()} == {
        "most": ("zeal", 4, 1.0)
    }
    rejects = {
        row["id"]: (row["reason"], row["detail"])
        for row in read_rows(tmp_path / "work" / "manifests" / "rejects.parquet")
    }
    assert rejects == {
        "few": ("reannotate", "round 1: key frame: 2 of 5 agree, 3 needed (beyond the clip: frame 60)"),
        "none": ("reannotate", "round 1: key frame: 0 of 5 agree, 3 needed (beyond the clip: frame 60)"),
    }
    assert again(tmp_path) == ["few", "none"]
    message = (
        "votes are for key frames beyond the end of the clip, which agree with none; frames count from 0: "
    )
    assert f"10 {message}few (3), most (2), none (5)" in done.stdout
    # Of what has been voted on again, the first round is not told any more.
    write_votes(root, {"few": AGREED, "none": [("calm", 0.9, 4)] * 4 + [("calm", 0.9, 60)]}, in_round=2)
    done = run(tmp_path, root)
    assert again(tmp_path) == []
    assert f"3 {message}most (2), none (1)" in done.stdout


@pytest.mark.parametrize(
    ("fps", "frames"), [(25.0, 5), (30.0, 6), (23.976, 4), (29.97, 5), (60.0, 12), (10.0, 2), (None, 5)]
)
def test_a_fifth_of_a_second_in_frames(fps, frames):
    assert rules_of(ConsensusConfig(), fps).key_frame_tolerance == frames
    assert rules_of(ConsensusConfig(key_frame_tolerance=3), fps).key_frame_tolerance == 3


def test_causes_are_read_from_what_is_told():
    assert causes_of("round 1: label: 2 of 5 agree, 3 needed (a tie of key_frame:, b)") == ["label"]
    assert causes_of("round 2: confidence 0.40, 0.50 needed; key frame: 2 of 5 agree, 3 needed") == [
        "key frame",
        "confidence",
    ]
    assert causes_of("") == []
