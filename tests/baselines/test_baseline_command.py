"""``fgbench baseline``: a run that is there is printed and not computed again; ``--force`` does it anew."""

import json

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.methods.lbp_svm import method as lbp_svm
from fgbench.runs.lock import hold_run
from tests.support.striped_manifests import manifests, write_index

RECIPE = "name: quick\nc_values: [1.0]\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Work folder with manifests of made-up images, and a recipe."""
    here = tmp_path_factory.mktemp("command")
    manifests(here / "work" / "manifests", no_face=3)
    write_index(here / "work", "made up")
    (here / "quick.yaml").write_text(RECIPE)
    return here


@pytest.fixture
def command(made, monkeypatch):
    """Runs the baseline; ``computed`` counts how often it was computed."""
    computed = []

    def counting(config, context):
        computed.append(context.seed)
        return run(config, context)

    run = lbp_svm.run
    monkeypatch.setattr(lbp_svm, "run", counting)
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)

    def fgbench(*arguments, code=0):
        words = ["--workdir", str(made / "work"), "--recipe", str(made / "quick.yaml"), *arguments]
        done = CliRunner().invoke(app, ["baseline", "lbp-svm", *words])
        assert done.exit_code == code, done.stderr
        return done

    fgbench.computed = computed
    return fgbench


@pytest.mark.slow
def test_a_run_that_is_there_is_printed_and_not_computed_again(made, command):
    first = command("--force", "--full")
    folder = made / "work" / "runs" / "quick" / "0" / "0"
    assert f"\nrun: {folder}\nnext: fgbench train msau" in first.stdout
    for part in ("| mean of the classes (UAR) |", "confusion of upper classes", "largest confusions"):
        assert part in first.stdout
    assert (folder / "confusion.csv").read_text().count("\n") == 34
    result = (folder / "result.json").read_bytes()
    again = command("--full")
    assert command.computed == [0]
    assert again.stdout == first.stdout
    assert again.stderr == f"lbp-svm, seed 0, is there already: {folder} (force computes it anew)\n"
    (folder / "notes.txt").touch()
    assert "read 1 time by 1 configuration" in first.stdout
    anew = command("--force", "--full").stdout
    assert anew.replace("read 2 times by", "read 1 time by") == first.stdout
    assert command.computed == [0, 0]
    assert (folder / "notes.txt").exists()
    assert (folder / "result.json").read_bytes() == result


@pytest.mark.slow
def test_another_seed_recipe_or_data_set_is_another_run(made, command):
    command()
    command.computed.clear()
    command("--seed", "7")
    (made / "quick.yaml").write_text(RECIPE.replace("1.0", "10.0"))
    result = made / "work" / "runs" / "quick" / "0" / "0" / "result.json"
    before = result.read_bytes()
    refused = command("--jobs", "1", code=3)
    text = " ".join(refused.stderr.split())
    assert "is finished, with other settings: c_values ([1.0] there, [10.0] here); nothing was" in text
    assert (
        "give it another name to keep both (--set name=NAME, or name: in the recipe), or the command --force"
        in text
    )
    assert result.read_bytes() == before
    command("--force")
    write_index(made / "work", "made anew")
    command()
    command()
    assert command.computed == [7, 0, 0]
    (made / "quick.yaml").write_text(RECIPE)
    write_index(made / "work", "made up")
    command("--force")


@pytest.mark.slow
def test_json_has_scores_and_confusions_and_nothing_else_is_printed(made, command):
    command()
    done = command("--json")
    report = json.loads(done.stdout)
    assert report["metrics"]["n"] == 132
    assert report["confusion"]["upper"]["classes"][-1] == "no prediction"
    assert len(report["confusion"]["upper"]["shares"]) == 6
    assert len(report["confusion"]["largest"]) <= 10
    assert report["confusion"]["file"].endswith("runs/quick/0/0/confusion.csv")


def test_a_run_that_another_process_makes_is_refused(made, command):
    folder = made / "work" / "runs" / "quick" / "0" / "5"
    words = ["--workdir", str(made / "work"), "--recipe", str(made / "quick.yaml"), "--seed", "5"]
    with hold_run(folder):
        done = CliRunner().invoke(app, ["baseline", "lbp-svm", *words])
    assert done.exit_code == 8
    assert "another fgbench process is making the run quick/0/5" in done.stderr
    assert not folder.exists()
