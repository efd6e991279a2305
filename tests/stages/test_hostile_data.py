"""Data sets with names, files and votes that are odd, from the root to the manifests."""

import os
import unicodedata

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from tests.support.clip_folders import write_plain_clip
from tests.support.fake_trees import Prepared, write_picture, write_text

QUICK = {"faces": {"align": "never"}, "lbp": {"enabled": False}}


@pytest.mark.slow
def test_a_name_that_is_no_text_is_one_reject_and_the_rest_is_prepared(tmp_path):
    root = tmp_path / "mine"
    for label in ("happy", "sad"):
        for number in range(3):
            write_picture(root / label / f"{number}.png", label)
    for raw in (b"caf\xe9.png", b"\xb8\xdf\xd0\xcb.png"):  # Latin-1, GBK
        write_text(root / "sad" / os.fsdecode(raw), "x")
    os.mkfifo(root / "happy" / "pipe.png")
    (root / "happy" / "lost.png").symlink_to("nowhere")
    made = Prepared("folder", root, tmp_path / "work", **QUICK)
    assert made.rejects == {
        "happy/lost.png": "broken_link",
        "happy/pipe.png": "not_a_file",
        "sad/caf\\xe9": "bad_name",
        "sad/\\xb8\\xdf\\xd0\\xcb": "bad_name",
    }
    assert len(made.clips) == 6


@pytest.mark.slow
def test_one_person_in_two_spellings_does_not_outvote_two(tmp_path):
    root = tmp_path / "mine"
    lines = ["clip,annotator,label,round"]
    for number, name in enumerate(("a", "b", "c", "d")):
        write_plain_clip(root / "videos" / f"{name}.mp4", seed=number)
    lines += [f"a,{voter},anger,1" for voter in ("Anna", "anna", "ANNA ")] + [
        "a,Ben,wrath,1",
        "a,Cem,wrath,1",
    ]
    lines += [f"b,{voter},{label},1" for voter, label in zip("xyz", ["anger"] * 3, strict=True)]
    lines += [f"c,{voter},anger,40000" for voter in "xyz"]
    composed, decomposed = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))
    lines += [f"d,{voter},anger,1" for voter in (composed, decomposed, "x")]
    write_text(root / "votes.csv", "\n".join(lines))
    recipe = tmp_path / "r.yaml"
    text = "extends: default\nname: r\nmax_reject_rate: 1.0\nfaces: {align: never}\nlbp: {enabled: false}"
    write_text(recipe, text)
    words = [
        "prepare",
        str(recipe),
        "--data-root",
        str(root),
        "--workdir",
        str(tmp_path / "work"),
        "--jobs",
        "1",
    ]
    asked = CliRunner().invoke(app, words)
    assert asked.exit_code == 4
    assert "may be one person: 'ANNA' (1 vote) and 'Anna' (1 vote); 'ANNA' (1 vote)" in asked.output
    assert "and 1 more pair" in asked.output
    assert not (tmp_path / "work" / "manifests").exists()
    names = [f"{name},Anna" for name in ("Anna", "anna", "ANNA")] + [f"{composed},Z", f"{decomposed},Z"]
    write_text(root / "annotators.csv", "\n".join(["name,annotator", *names]))
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "1 clip rejected (bad_annotation 1)" in done.output
    assert "2 clips rejected (duplicate_vote 2)" in done.output
    assert "annotators.csv: 5 names of 2 annotators" in done.output
    assert "other files" not in done.output


@pytest.mark.slow
def test_a_set_and_a_work_folder_whose_names_are_no_text_are_prepared_audited_and_reported(tmp_path):
    plain, odd = tmp_path / "plain", tmp_path / os.fsdecode(b"caf\xe9")
    for label in ("happy", "sad"):
        for number in range(6):
            write_picture(plain / "mine" / label / f"{number}.png", f"{label}{number}")
    plain.rename(odd)
    made = Prepared("folder", odd / "mine", odd / "work", **QUICK)
    assert len(made.clips) == 12
    for command in ("audit", "check", "status"):
        done = CliRunner().invoke(app, [command, str(odd / "work")])
        assert done.exit_code == 0, done.output
    done = CliRunner().invoke(app, ["report", "--html", "--workdir", str(odd / "work")])
    assert done.exit_code == 0, done.output
    assert (odd / "work" / "reports" / "report.html").is_file()
