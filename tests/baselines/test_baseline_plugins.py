"""A baseline is one file: put beside the others, it is a command and a row of Table II."""

import json
import shutil
import sys

import pytest
import typer
from typer.testing import CliRunner

import fgbench.methods
from fgbench import plugins
from fgbench.cli.app import app as fgbench_app
from fgbench.cli.baseline_plugins import add_commands
from fgbench.cli.console import sentences_printed
from tests.support.doc_blocks import block
from tests.support.report_folders import write_fake_run
from tests.support.striped_manifests import manifests, write_index

MAJORITY = '''"""Baseline ``the-commonest``: one class for every image.

It looks at nothing.
"""

import numpy as np

from fgbench.config import BaselineConfig
from fgbench.runs.roles import predictions_of
from fgbench.runs.results import write_run
from fgbench.runs.samples import image_samples


class RECIPE(BaselineConfig):
    """Its recipe."""

    label: str = "anger"
    """The class."""


NEEDS = ()


def run(config, context):
    roles = context.roles(image_samples(context.manifests), protocol_name="images")
    labels = context.labels.labels
    scores = np.zeros((len(roles.predicted), len(labels)), np.float32)
    scores[:, labels.index(config.label)] = 1.0
    return write_run(
        context.workdir,
        predictions_of(roles, scores, scores, labels),
        experiment=config.name,
        fold=context.fold,
        seed=context.seed,
        config=config.model_dump(mode="json"),
        manifest_digest=context.manifest_digest,
        device=str(getattr(context, "device", "none")),
        details={**context.details, "kind": "image", "method": "The commonest"},
    )
'''


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Manifests of the 33 classes: four persons to test."""
    folder = manifests(tmp_path_factory.mktemp("made") / "manifests")
    write_index(folder.parent, "mine")
    return folder


@pytest.fixture
def work(made, tmp_path):
    """A work folder of the test's own."""
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copytree(made, folder / "manifests")
    return folder


@pytest.fixture
def command(tmp_path, work, monkeypatch):
    """Writes the file and runs its command."""
    folder = tmp_path / "more"
    folder.mkdir()
    monkeypatch.setattr(fgbench.methods, "__path__", [*fgbench.methods.__path__, str(folder)])
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)

    def fgbench_baseline(text, *arguments, name="the-commonest"):
        (folder / f"{name.replace('-', '_')}.py").write_text(text)
        app = typer.Typer()
        add_commands(app)
        with sentences_printed():
            return CliRunner().invoke(app, [name, "--workdir", str(work), *arguments])

    yield fgbench_baseline
    for name in ("the_commonest", "mine"):
        sys.modules.pop(f"fgbench.methods.{name}", None)


@pytest.mark.slow
def test_one_file_is_a_command_and_a_row(command, work):
    assert "One class for every image." in command(MAJORITY, "--help").stdout
    done = command(MAJORITY)
    assert done.exit_code == 0, done.output
    assert "UAR 0.030, no interval: 4 subjects" in done.stdout
    assert "take folds, which test each once: --set protocol.kind=k-fold of fgbench prepare" in done.stdout
    assert "| mean of the classes" not in done.stdout
    assert "| mean of the classes (UAR) | 132 | 0.030 |" in command(MAJORITY, "--full").stdout
    result = work / "runs" / "the-commonest" / "0" / "0" / "result.json"
    before = result.stat().st_mtime_ns
    again = command(MAJORITY)
    assert "is there already" in again.stderr
    assert result.stat().st_mtime_ns == before
    mine = work / "mine.yaml"
    mine.write_text("name: mine\nlabel: panic\n")
    assert command(MAJORITY, "--recipe", str(mine)).exit_code == 0
    board = CliRunner().invoke(fgbench_app, ["leaderboard", "--workdir", str(work)])
    assert "The commonest" in board.stdout


OPTIONS = """
OPTIONS = {"votes": ("file", "Votes to count."), "at_random": ("flag", "Count none.")}


def check_options(*, votes, at_random):
    from fgbench.errors import ConfigError

    if at_random == (votes is not None):
        raise ConfigError("--votes or --at-random", "give one of them")
    return "the-commonest"
"""


@pytest.mark.slow
def test_options_that_it_declares_are_options_of_its_command(command, work, tmp_path):
    text = MAJORITY.replace("def run(config, context):", f"{OPTIONS}\n\ndef run(config, context, votes):")
    text = text.replace('"method": "The commonest"', '"method": "The commonest", "notes": [str(votes)]')
    shown = " ".join(command(text, "--help").stdout.split())
    assert "Votes to count." in shown
    assert "Count none." in shown
    neither = command(text)
    assert neither.exit_code == 2
    assert "give one of them" in neither.stderr
    result = work / "runs" / "the-commonest" / "0" / "0" / "result.json"
    for words, given in (
        (["--at-random"], "None"),
        (["--votes", str(tmp_path / "v.csv")], str(tmp_path / "v.csv")),
    ):
        done = command(text, *words, "--force")
        assert done.exit_code == 0, done.output
        assert json.loads(result.read_text())["details"]["notes"] == [given]


@pytest.mark.slow
def test_its_run_stands_below_the_papers_in_table_2(command, work):
    write_fake_run(work, "lbp-svm", method="LBP+SVM")
    assert command(MAJORITY).exit_code == 0
    done = CliRunner().invoke(fgbench_app, ["report", "--table", "II", "--workdir", str(work)])
    assert done.exit_code == 0, done.output
    assert "| image | The commonest | this data set | 0.030 |" in done.stdout


@pytest.mark.slow
def test_the_example_of_the_documentation_runs(command, work):
    text = block("docs/extending/methods.md", '"""Baseline ``mine``')
    guess = "np.full((len(predicted), 33), config.strength / 33, np.float32)"
    text += f"\n\ndef my_probabilities(config, train, selection, predicted):\n    return {guess}\n"
    done = command(
        text.replace("from fgbench.config", "import numpy as np\nfrom fgbench.config", 1), name="mine"
    )
    assert done.exit_code == 0, done.output
    assert "UAR 0.030" in done.stdout
    assert "mine: what" not in command(text, "--help", name="mine").stdout
    assert "What it does, in a line." in command(text, "--help", name="mine").stdout


def test_a_network_has_a_device(command, work):
    text = MAJORITY.replace("NEEDS = ()", "NEEDS = ()\nDEVICE = True")
    assert "--device" not in command(MAJORITY, "--help").stdout
    assert "--device" in command(text, "--help").stdout
    done = command(text, "--device", "cpu")
    assert done.exit_code == 0, done.output
    result = json.loads((work / "runs" / "the-commonest" / "0" / "0" / "result.json").read_text())
    assert result["device"] == "cpu"


def test_recipes_are_of_its_model(command, work, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\nlable: joy\n")
    done = command(MAJORITY, "--recipe", str(mine))
    assert done.exit_code != 0
    assert "unknown key lable, did you mean 'label'?" in str(done.exception)


def test_a_file_that_is_not_python_lets_other_commands_be(command):
    done = command("def (", "--help")
    assert done.exit_code == 0
    assert "Cannot be read: invalid syntax" in done.stdout
    assert isinstance(command("def (").exception, SyntaxError)


def test_a_sketch_is_read_without_running_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(fgbench.methods, "__path__", [str(tmp_path)])
    (tmp_path / "broken.py").write_text(
        '"""First.\n\nSecond."""\nA: int = 1\nB = C = 2\nraise RuntimeError\n'
    )
    assert plugins.sketch("methods", "broken") == plugins.Sketch(summary="First.", names=frozenset("ABC"))
    (tmp_path / "bare.py").write_text("x = 1\n")
    assert plugins.sketch("methods", "bare").summary == ""
    with pytest.raises(FileNotFoundError, match="no method absent"):
        plugins.sketch("methods", "absent")
