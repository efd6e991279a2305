"""What ``fgbench prepare`` tells in the end: what needs a person, in words; nothing where nothing does."""

import csv
import json

import pytest
from typer.testing import CliRunner

from fgbench import storage
from fgbench.cli.app import app
from fgbench.preparation.stages import _closing_notes
from fgbench.storage import read_rows
from fgbench.workfolders.manifest_index import read_index
from tests.support.clip_folders import write_folder, write_plain_clip

pytestmark = pytest.mark.slow

RECIPE = """extends: default
name: test
buckets: 4
max_reject_rate: 0.9
sample: {before: 0, after: 0}
"""


def write_own(root, rows, *, header="clip,label,subject"):
    """A folder of clips with the cells of an annotation table, a row for each."""
    for index, row in enumerate(rows):
        write_plain_clip(root / "videos" / f"{row[0]}.mp4", 3, seed=index)
    with (root / "annotations.csv").open("w", newline="") as file:
        file.write(f"{header}\n")
        csv.writer(file).writerows(rows)
    return root


def people(n_persons, labels=("boredom", "calm", "zeal")):
    return [[f"c{who}-{label}", label, f"p{who}"] for who in range(n_persons) for label in labels]


def run(tmp_path, root, *, recipe="", align="never", extra=()):
    path = tmp_path / "own.yaml"
    path.write_text(f"{RECIPE}faces: {{align: {align}}}\n{recipe}\n")
    work = tmp_path / "work"
    return CliRunner().invoke(
        app, ["prepare", str(path), "--data-root", str(root), "--workdir", str(work), "--jobs", "1", *extra]
    )


def looked(output):
    """Lines after "look here", up to the command that comes next."""
    assert output.count("look here:") == 1
    return output.split("look here:")[1].partition("next: ")[0].strip().splitlines()


def test_nothing_to_say_is_one_line(tmp_path):
    done = run(tmp_path, write_own(tmp_path / "in", people(8)))
    assert done.exit_code == 0, done.output
    assert looked(done.stdout) == ["nothing needs you"]
    assert "\nlook here: nothing needs you\nnext: fgbench audit " in done.stdout
    assert "persons in train and test: none (8 persons in all)\n" in done.stdout


def test_persons_in_several_parts_are_told_by_name(tmp_path):
    parts = ("train", "test", "val")
    rows = [[*row, parts[index % 3]] for index, row in enumerate(people(4))]
    done = run(tmp_path, write_own(tmp_path / "in", rows, header="clip,label,subject,split"))
    assert "persons in train and test: 4 of 4 persons\n" in done.stdout
    lines = looked(done.stdout)
    assert "  4 persons are in train and test: p0, p1, p2, p3" in lines
    assert "  4 persons are in val and test: p0, p1, p2, p3" in lines
    assert "train lacks 2 of 3 classes: calm, zeal" in lines


def test_where_nobody_knows_the_persons_that_is_said(tmp_path):
    rows = [row[:2] for row in people(8)]
    done = run(tmp_path, write_own(tmp_path / "in", rows, header="clip,label"))
    assert "persons in train and test: not known, the data set tells no persons" in done.stdout


def test_clips_without_a_person_are_counted(tmp_path):
    rows = [[name, label, "" if who == "p0" else who] for name, label, who in people(8)]
    done = run(tmp_path, write_own(tmp_path / "in", rows))
    assert "persons in train and test: none (7 persons in all); 3 clips without a person\n" in done.stdout
    assert "unknown persons" not in done.stdout


def test_unknown_persons_are_no_person_and_told_once(tmp_path):
    words = {"p0": "unknown", "p1": "NaN"}
    rows = [[name, label, words.get(who, who)] for name, label, who in people(8)]
    done = run(tmp_path, write_own(tmp_path / "in", rows))
    message = "annotations.csv: 6 clips of unknown persons by the column subject: 'NaN' 3, 'unknown' 3\n"
    assert done.stdout.count(message) == 1
    assert done.output.count("unknown persons") == 1
    assert "persons in train and test: none (6 persons in all); 6 clips without a person\n" in done.stdout
    assert looked(done.stdout) == ["nothing needs you"]
    clips = read_rows(tmp_path / "work" / "manifests" / "clips.parquet")
    assert {row["subject_id"] for row in clips} == {None, *(f"p{number}" for number in range(2, 8))}


def test_folds_tell_persons_and_rare_classes(tmp_path):
    rows = [*people(5), ["rare", "envy", "p0"]]
    recipe = "protocol: {kind: k-fold, folds: 5}"
    done = run(tmp_path, write_own(tmp_path / "in", rows), recipe=recipe)
    assert (
        "persons in train and test: none in every fold, folds are by person (5 persons in all)" in done.stdout
    )
    lines = looked(done.stdout)
    assert any("classes of fewer than 3 persons" in line and line.endswith(": envy (1)") for line in lines)


def test_a_class_that_a_fold_cannot_train_is_told_before_a_method_refuses_it(tmp_path):
    """Nine persons in three folds, dealt in turn; those who show envy are all of folds 1 and 2."""
    rows = [*people(9, labels=("calm",)), *([f"envy{who}", "envy", f"p{who}"] for who in (0, 1, 3))]
    recipe = "protocol: {kind: k-fold, folds: 3}"
    done = run(tmp_path, write_own(tmp_path / "in", rows), recipe=recipe)
    (line,) = [line for line in looked(done.stdout) if "without persons to train on" in line]
    assert line.endswith("envy (fold 1); more folds (protocol.folds) leave more to train on")
    method = CliRunner().invoke(app, ["baseline", "lbp-svm", str(tmp_path / "work")])
    assert method.exit_code == 4
    assert "no training sample in fold 1 of 3-fold-by-subject: envy" in method.output
    assert "fgbench prepare --set protocol.folds=N" in " ".join(method.output.split())
    more = run(tmp_path, tmp_path / "in", recipe=recipe, extra=["--set", "protocol.folds=5"])
    assert "without persons" not in more.stdout


def test_a_single_person_for_folds_is_told(tmp_path):
    recipe = "protocol: {kind: k-fold, folds: 3}"
    done = run(tmp_path, write_own(tmp_path / "in", people(1)), recipe=recipe)
    assert any("1 person for 3 folds, expected at least as many" in line for line in looked(done.stdout))


def test_empty_parts_and_parts_that_lack_classes_are_named(tmp_path):
    rows = [[*row, "train" if row[2] != "p3" else "test"] for row in people(4)]
    rows = [row for row in rows if row[0] != "c3-zeal"]
    done = run(tmp_path, write_own(tmp_path / "in", rows, header="clip,label,subject,split"))
    assert done.exit_code == 0, done.output
    assert looked(done.stdout) == ["val is empty: it has no clip", "  test lacks 1 of 3 classes: zeal"]


def test_clips_without_a_face_are_named(tmp_path):
    done = run(tmp_path, write_own(tmp_path / "in", people(8)), align="always")
    assert "24 clips without any usable face (column status of manifests/faces says why): c0-boredom" in (
        done.stdout
    )
    assert "train has 12 clips and no usable face" in done.stdout
    assert done.exit_code == 4
    assert "no usable clip is in train" in done.stderr
    assert read_index(tmp_path / "work")["counts"]["train"]["clips"] == 12


def test_parts_that_the_data_set_names_may_be_without_training_clips(tmp_path):
    rows = [[*row, "test"] for row in people(3)]
    done = run(tmp_path, write_own(tmp_path / "in", rows, header="clip,label,subject,split"))
    assert done.exit_code == 0, done.output
    assert "train is empty: it has no clip" in looked(done.stdout)[0]


def test_columns_that_are_ignored_are_named_with_what_may_have_been_meant(tmp_path):
    rows = [[*row, "x", "", "0.9"] for row in people(8)]
    header = "clip,label,subject_id,camera,,confidance"
    done = run(tmp_path, write_own(tmp_path / "in", rows, header=header))
    assert done.exit_code == 0, done.output
    assert looked(done.stdout) == [
        "annotations.csv: 3 columns are ignored: camera, one without a name, confidance (did you mean "
        "confidence?)"
    ]
    assert {row["subject_id"] for row in read_rows(tmp_path / "work" / "manifests" / "clips.parquet")} == {
        f"p{number}" for number in range(8)
    }


def test_a_column_of_persons_of_another_name_is_asked_for(tmp_path):
    header = "clip,label,Participant_ID"
    done = run(tmp_path, write_own(tmp_path / "in", people(8), header=header))
    assert looked(done.stdout)[0] == (
        "annotations.csv: 1 column is ignored: participant_id (did you mean subject?)"
    )
    assert "persons in train and test: not known" in done.stdout


def test_rejects_are_told_in_words_with_suggestions_and_are_in_a_csv(tmp_path):
    labels = ("joy", "wrath", "pride", "worry")
    rows = people(6, ("pride", "wrath", "worry"))
    rows += [["a", "happy", "p1"], ["b", "happy", "p2"], ["=c", "fear", "p1"], ["d", "proud", "p1"]]
    root = write_own(tmp_path / "in", rows)
    (root / "videos" / "d.mp4").write_bytes(b"")
    with (root / "annotations.csv").open("a") as file:
        file.writelines(f"gone{number},wrath,p1\n" for number in range(4))
    done = run(tmp_path, root)
    assert done.exit_code == 0, done.output
    lines = looked(done.stdout)
    assert lines[0] == f"8 clips could not be used, all in {tmp_path}/work/manifests/rejects.csv"
    assert lines[1].startswith("    a and 1 more: unknown_label, unknown label 'happy'")
    assert "one of its classes (cheerfulness," in lines[1]
    assert any("'fear' is an upper class: did you mean one of its classes (anxiety" in line for line in lines)
    assert lines[6] == "    2 more for 2 other reasons"
    assert len(lines) == 7, labels
    with (tmp_path / "work" / "manifests" / "rejects.csv").open(newline="") as file:
        actual = list(csv.DictReader(file))
    assert [row["id"] for row in actual] == ["'=c", "a", "b", "d", "gone0", "gone1", "gone2", "gone3"]
    assert list(actual[0])[:4] == ["id", "stage", "reason", "detail"]
    assert {row["reason"] for row in actual} == {"unknown_label", "empty_file", "missing_file"}
    status = CliRunner().invoke(app, ["status", str(tmp_path / "work")]).stdout
    assert lines[0] in status
    assert lines[1].strip() in status


def test_too_many_rejects_are_told_by_status_in_words(tmp_path):
    root = write_own(tmp_path / "in", people(2))
    with (root / "annotations.csv").open("a") as file:
        file.writelines(f"gone{number},zeal,p1\n" for number in range(90))
    done = run(tmp_path, root)
    assert done.exit_code == 6
    assert f"fgbench status {tmp_path}/work tells each reason" in " ".join(done.stderr.split())
    status = CliRunner().invoke(app, ["status", str(tmp_path / "work")]).stdout
    assert "90 clips could not be used\n" in status
    assert "gone0: missing_file, " in status


def test_json_has_what_needs_a_person(tmp_path):
    done = run(tmp_path, write_own(tmp_path / "in", people(2)), extra=["--json"])
    report = json.loads(done.stdout)
    assert report["persons"].startswith("persons in train and test: ")
    assert any(line.startswith("2 persons are too few for 3 parts") for line in report["look"])


def test_other_separators_are_named(tmp_path):
    root = write_folder(tmp_path / "in", 1)
    (root / "annotations.csv").write_text("clip|label\nc000|wrath\n")
    done = run(tmp_path, root)
    assert done.exit_code == 4
    assert "separates its columns by '|', expected commas, semicolons or tabs" in " ".join(
        done.stderr.split()
    )


def test_a_rare_class_that_is_spelt_as_a_frequent_one_is_asked_about(tmp_path):
    rows = people(8, ("Ekel", "Wut", "Stolz"))
    rows[3][1] = "ekell"
    made = write_own(tmp_path / "in", rows)
    done = run(tmp_path, made)
    told = "class ekell has 1 clip and is spelt nearly as Ekel, which has 7: "
    told += "if it is the same, correct the label"
    assert [line.strip() for line in looked(done.stdout) if "spelt" in line] == [told]
    done = run(tmp_path, made, recipe="dataset: {classes: [Ekel, Wut, Stolz, ekell]}")
    assert "spelt" not in done.stdout


def test_classes_of_like_names_and_numbers_are_two(tmp_path):
    done = run(tmp_path, write_own(tmp_path / "in", people(6, ("interested", "disinterested", "zeal"))))
    assert "classes: 3 of your own" in done.stdout
    assert "spelt" not in done.stdout


def test_a_wrong_folder_leaves_no_empty_work_folder(tmp_path):
    (tmp_path / "in").mkdir()
    for root in (tmp_path / "absent", tmp_path / "in"):
        assert run(tmp_path, root).exit_code == 4
        assert not (tmp_path / "work").exists()


def test_status_as_json_counts_what_is_done_and_a_dry_run_says_at_least(tmp_path):
    root = write_own(tmp_path / "in", people(8))
    run(tmp_path, root)
    done = CliRunner().invoke(app, ["status", str(tmp_path / "work"), "--json"])
    stages = {stage["stage"]: stage for stage in json.loads(done.stdout)["stages"]}
    assert stages["faces"]["done"] == stages["faces"]["buckets"] == 4
    write_plain_clip(root / "videos" / "new.mp4", 6, seed=50)
    with (root / "annotations.csv").open("a") as file:
        file.write("new,zeal,p1\n")
    output = run(tmp_path, root, extra=["--dry-run"]).stdout
    assert "    ingest: 1 of 4 buckets to do\n" in output
    assert "     faces: at least 1 of 4 buckets to do\n" in output


def test_stages_that_are_turned_off_are_not_told_and_status_says_what_comes_next(tmp_path):
    root = write_own(tmp_path / "in", people(8))
    done = run(tmp_path, root)
    assert "ingest: 4 of 4" in done.stderr
    output = CliRunner().invoke(app, ["status", str(tmp_path / "work")]).stdout
    again = run(tmp_path, root, extra=["--dry-run"]).stdout
    for text in (done.stderr, output, again):
        assert "faces: " in text
        assert "optical_flow" not in text
    lines = output.splitlines()
    parts = [line.split(":")[0].strip() for line in lines if " with copies" in line]
    assert parts == ["train", "val", "test"]
    work = tmp_path / "work"
    assert lines[-1] == f"next: fgbench audit {work}; fgbench baseline lbp-svm --workdir {work}"
    storage.write_json(work / "runs/mine/0/0/result.json", {})
    output = CliRunner().invoke(app, ["status", str(work)]).stdout
    assert output.splitlines()[-1] == f"next: fgbench report --workdir {work}"


def test_clips_without_a_selected_frame_are_named():
    """Where others have pictures: in a recipe without an image set nobody lacks one."""
    clips = [
        {"clip_id": "a", "n_images": 7, "n_faces_ok": 7},
        {"clip_id": "b", "n_images": 0, "n_faces_ok": 7},
        {"clip_id": "c", "n_images": 0, "n_faces_ok": 0},
    ]
    (line,) = _closing_notes._pictureless(clips)
    assert line.startswith("1 clip without a picture in the image set")
    assert line.endswith(": b")
    assert _closing_notes._pictureless(clips[1:]) == []
