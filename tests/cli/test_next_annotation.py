"""What the commands of annotation say comes next."""

import csv
import shlex
from pathlib import Path

from typer.testing import CliRunner

from fgbench.api import next_commands
from fgbench.cli.app import app
from tests.support.annotated_rounds import write_clips


def run(command):
    """Run a command as it is printed or typed, and return its output and the commands named as the next."""
    done = CliRunner().invoke(app, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("next: ")]
    return done, line.removeprefix("next: ").split("; ")


def test_a_round_leads_to_a_server_or_to_answers_and_these_to_settling(tmp_path, monkeypatch):
    """The named import works as printed once FILE... is the file; of missing votes the number is named."""
    monkeypatch.chdir(tmp_path)
    write_clips(tmp_path / "my clips")
    done, (push, take) = run("fgbench annotate export --data-root 'my clips' --annotators a,b,c,d,e")
    assert push.startswith("fgbench annotate push --data-root 'my clips' --round 1 --url ")
    tasks = done.stdout.split("round 1: ")[1]
    n_clips = int(tasks.split()[0])
    with Path("answers.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["clip", "annotator", "label"], ["a", "a", "anger"]])
    done, (settle,) = run(take.replace("FILE...", "answers.csv"))
    assert f"votes still missing: a {n_clips - 1} of {n_clips}, b {n_clips} of {n_clips}, " in done.stdout
    assert settle == "fgbench prepare --data-root 'my clips'"


def test_votes_on_other_classes_are_settled_with_these(tmp_path, monkeypatch):
    """The recipe and settings of an import are those of the preparation."""
    monkeypatch.chdir(tmp_path)
    write_clips(tmp_path / "clips")
    Path("answers.csv").write_text("clip,annotator,label\na,anna,fear\n")
    options = "--data-root clips --set dataset.scheme=parrott6 --set 'dataset.name=our clips'"
    _, (settle,) = run(f"fgbench annotate import answers.csv --recipe default {options}")
    assert settle == f"fgbench prepare default {options}"


def test_votes_of_a_round_are_settled_with_its_recipe_and_settings(tmp_path, monkeypatch):
    """Those of the export, and of a later round that has taken them over."""
    monkeypatch.chdir(tmp_path)
    write_clips(tmp_path / "clips")
    changed = "--set dataset.scheme=parrott6 --set 'dataset.name=our clips'"
    run(f"fgbench annotate export --data-root clips --annotators a,b,c,d,e --recipe default {changed}")
    Path("answers.csv").write_text("clip,annotator,label\na,a,fear\n")
    _, (settle,) = run("fgbench annotate import answers.csv --data-root clips")
    assert settle == f"fgbench prepare default --data-root clips {changed}"
    Path("work/manifests").mkdir(parents=True)
    Path("work/manifests/reannotate.csv").write_text("clip\na\n")
    run("fgbench annotate export --data-root clips --round 2 --workdir work")
    _, (settle,) = run("fgbench annotate import answers.csv --data-root clips")
    assert settle == f"fgbench prepare default --data-root clips {changed}"
    _, (settle,) = run("fgbench annotate import answers.csv --data-root clips --recipe fg-emotions")
    assert settle == "fgbench prepare fg-emotions --data-root clips"


def test_nothing_is_named_beside_json(tmp_path):
    root = write_clips(tmp_path / "clips")
    done = CliRunner().invoke(
        app, ["annotate", "export", "--data-root", str(root), "--annotators", "a,b,c,d,e", "--json"]
    )
    assert done.exit_code == 0, done.output
    assert "next: " not in done.stdout


def test_a_push_leads_to_the_pull_of_the_same_round():
    root, url = Path("my clips"), "http://localhost:8080"
    (command,) = next_commands.after_push(root, url, 2, None, Path("token.txt"))
    assert command == (
        "fgbench annotate pull --data-root 'my clips' --round 2 --url http://localhost:8080 "
        "--token-file token.txt"
    )
    (command,) = next_commands.after_push(root, url, None, Path("out"), None)
    assert command == "fgbench annotate pull --data-root 'my clips' --project out --url http://localhost:8080"


def test_data_with_votes_lead_to_their_agreement(tmp_path):
    agreement = f"fgbench report --votes --workdir {tmp_path}"
    assert agreement not in next_commands.after_prepare(tmp_path, has_classes=True)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "votes.parquet").touch()
    assert next_commands.after_prepare(tmp_path, has_classes=True)[-1] == agreement
