"""``fgbench recipes``, ``fgbench labels``, ``-h`` and what the shell offers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fgbench.preparation.prepare import saved
from fgbench.taxonomy import basics, leaves
from tests.support.clip_folders import write_folder, write_plain_clip

pytestmark = pytest.mark.slow

SCRIPT = "import sys; sys.argv[0] = 'fgbench'; from fgbench.cli.entry import main; main()"


def fgbench_cli(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )


def offered(line, cwd):
    """What bash is offered at the end of a command line."""
    words = line.split(" ")
    done = fgbench_cli(
        cwd=cwd,
        _FGBENCH_COMPLETE="complete_bash",
        COMP_WORDS=line,
        COMP_CWORD=str(len(words) - 1),
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_recipes_are_listed_with_their_commands(tmp_path):
    done = fgbench_cli("recipes", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines.count("fgbench train msau") == 1
    (msau,) = [line for line in lines if line.split()[0] == "msau-small"]
    assert "for two cores" in msau
    assert lines[-1].endswith("fgbench recipes NAME > mine.yaml")
    listed = json.loads(fgbench_cli("recipes", "--json", cwd=tmp_path).stdout)
    (jaffe,) = [recipe for recipe in listed if recipe["name"] == "jaffe"]
    assert jaffe["command"] == "prepare"
    assert jaffe["data_set"].startswith("JAFFE")


def test_a_recipe_that_is_shown_saved_and_edited_is_taken_by_its_command(tmp_path):
    write_folder(tmp_path / "clips", 4)
    shown = fgbench_cli("recipes", "default", cwd=tmp_path)
    assert shown.returncode == 0
    assert "FILE.yaml" in shown.stderr
    edited = shown.stdout.replace("buckets: 64", "buckets: 3").replace("align: always", "align: never")
    assert edited != shown.stdout
    (tmp_path / "mine.yaml").write_text(edited, encoding="utf-8")
    done = fgbench_cli("prepare", "mine.yaml", "--data-root", "clips", "--jobs", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert saved(tmp_path / "fgbench-data/clips/work")[0].buckets == 3


def test_keys_of_a_recipe_as_json(tmp_path):
    report = json.loads(fgbench_cli("recipes", "lbp-svm", "--json", cwd=tmp_path).stdout)
    keys = {key["key"]: key for key in report["keys"]}
    assert keys["inner_folds"]["default"] == 5
    assert keys["inner_folds"]["takes"] == "a whole number from 3 to 100"
    assert keys["name"]["is_required"]


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["recipes", "mssau"], 3, "did you mean 'msau'?"),
        (["labels", "ekman"], 3, "did you mean 'ekman"),
        (["labels", "fg33", "--workdir", "x"], 2, "one label set"),
        (["labels", "--workdir", "absent"], 7, "fgbench prepare"),
    ],
)
def test_names_that_are_not_there(arguments, code, hint, tmp_path):
    done = fgbench_cli(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert hint in done.stderr


def test_labels_are_listed_below_their_upper_classes(tmp_path):
    done = fgbench_cli("labels", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    for upper in basics():
        assert [leaf.name for leaf in leaves() if leaf.basic == upper] == (
            lines[upper].split(")", 1)[1].replace(",", "").split()
        )
    report = json.loads(fgbench_cli("labels", "ekman7", "--json", cwd=tmp_path).stdout)
    happiness = next(one for one in report["classes"] if one["label"] == "happiness")
    assert happiness["spellings"] == ["happy"]
    assert "pride" in happiness["leaves"]
    assert "also: happy" in fgbench_cli("labels", "ekman7", cwd=tmp_path).stdout


def test_labels_of_a_work_folder_are_those_found(tmp_path):
    lines = ["clip,label,key_frame,split"]
    for number, label in enumerate(["pride", "worry", "pride", "worry", "pride"]):
        write_plain_clip(tmp_path / "clips" / "videos" / f"c{number}.mp4", seed=number)
        lines.append(f"c{number},{label},4,{'test' if number < 2 else 'train'}")
    (tmp_path / "clips" / "annotations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "plain.yaml").write_text(
        "name: plain\nfaces: {align: never}\ndataset: {scheme: found}\n", encoding="utf-8"
    )
    done = fgbench_cli("prepare", "plain.yaml", "--data-root", "clips", "--jobs", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    work = "fgbench-data/clips/work"
    lines = [
        line.split() for line in fgbench_cli("labels", "--workdir", work, cwd=tmp_path).stdout.splitlines()
    ]
    assert ["worry", "fear", "1", "0", "1"] in lines
    assert ["pride", "happiness", "2", "0", "1"] in lines
    report = json.loads(fgbench_cli("labels", "--workdir", work, "--json", cwd=tmp_path).stdout)
    assert {one["label"]: one["clips"]["train"] for one in report["classes"]} == {"pride": 2, "worry": 1}
    status = fgbench_cli("status", work, cwd=tmp_path).stdout
    assert status.startswith("recipe plain, data clips, 5 clips"), "the folder as seen from here"


@pytest.mark.parametrize("command", [[], ["prepare"], ["train", "msau"], ["baseline", "lbp-svm"]])
def test_h_is_help(command, tmp_path):
    short = fgbench_cli(*command, "-h", cwd=tmp_path)
    assert short.returncode == 0
    assert short.stdout == fgbench_cli(*command, "--help", cwd=tmp_path).stdout
    assert short.stdout.startswith("Usage:")


def test_the_shell_is_offered_recipes_tables_and_runs(tmp_path):
    (tmp_path / "mine.yaml").write_text("name: x\n")
    assert offered("fgbench prepare ck", tmp_path) == [
        "ck-plus", "ck-plus-48", "ck-plus-6", "ck-plus-8", "ck-plus-contempt", "ck-plus-units",
    ]  # fmt: skip
    assert offered("fgbench prepare mi", tmp_path) == ["mine.yaml"]
    assert offered("fgbench train au --recipe au", tmp_path) == ["au", "au-small", "au-tuned"]
    assert "plain-cnn-small" in offered("fgbench baseline plain-cnn --recipe pl", tmp_path)
    assert offered("fgbench recipes lbp", tmp_path) == ["lbp-svm", "lbp-svm-paper"]
    assert offered("fgbench report --table V", tmp_path) == ["V", "VI", "VII"]
    assert "attention" in offered("fgbench report --figure a", tmp_path)
    (tmp_path / "fgbench-data/demo/work/runs/lbp-svm").mkdir(parents=True)
    (tmp_path / "other/runs/mine-3").mkdir(parents=True)
    assert offered("fgbench compare lb", tmp_path) == ["lbp-svm"]
    assert offered("fgbench compare --workdir other mi", tmp_path) == ["mine-3"]
    assert offered("fgbench predict absent-", tmp_path) == []


def test_completion_imports_nothing_heavy(tmp_path):
    code = (
        "import sys, os\n"
        "from fgbench.cli import app\n"
        "from fgbench.cli.completion import any_recipe, figure, label_set, table\n"
        "assert any_recipe('ms') and figure('') and label_set('') and table('')\n"
        "print(sorted({'torch', 'cv2', 'sklearn', 'matplotlib', 'scipy', 'pyarrow'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"


def test_completion_can_be_shown_for_a_shell(tmp_path):
    done = fgbench_cli(
        "--show-completion", "bash", cwd=tmp_path, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"
    )
    assert done.returncode == 0
    assert "_FGBENCH_COMPLETE" in done.stdout


def test_completion_answers_what_a_shell_asks(tmp_path):
    """As bash does after ``fgbench --install-completion``: words so far, and the number of the last."""
    words = {"COMP_WORDS": "fgbench prep", "COMP_CWORD": "1", "_FGBENCH_COMPLETE": "complete_bash"}
    done = fgbench_cli(cwd=tmp_path, **words)
    assert done.returncode == 0
    assert done.stdout.split() == ["prepare"]


def test_every_command_that_takes_a_recipe_takes_changes_of_it():
    lines = (Path(__file__).parent / "commands.txt").read_text(encoding="utf-8").splitlines()
    options = {(line.rpartition(" ")[0], line.rpartition(" ")[2]) for line in lines}
    named = {command for command, option in options if option in ("--recipe", "RECIPE")}
    assert {"prepare", "train au", "baseline lbp-svm"} <= named
    named |= {"recipes", "check"}  # recipes calls its argument NAME, check takes a recipe with --root alone
    assert {command for command, option in options if option == "--set"} == named


def test_a_recipe_is_shown_with_changes(tmp_path):
    done = fgbench_cli("recipes", "msau", "--set", "optimiser.epochs=3", "--json", cwd=tmp_path)
    keys = {key["key"]: key.get("value") for key in json.loads(done.stdout)["keys"]}
    assert keys["optimiser.epochs"] == 3
    assert fgbench_cli("recipes", "msau", "--set", "optimiser.epoch=3", cwd=tmp_path).returncode == 3
    assert fgbench_cli("recipes", "--set", "optimiser.epochs=3", cwd=tmp_path).returncode == 2
