"""``fgbench baseline backbone`` and ``work.train("backbone")``: from options to a run and its predictions."""

import json

import pytest

import fgbench
from fgbench.errors import ArgumentError, ConfigError
from tests.support.backbone_work import baseline, write_command_work
from tests.support.tiny_backbones import TinyCnn, stated, write_onnx
from tests.support.tiny_work import small_work

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A work folder of coloured faces, and a network."""
    here = tmp_path_factory.mktemp("command")
    return write_command_work(here, small_work(here / "made"))


@pytest.fixture(autouse=True)
def _without_stages(monkeypatch):
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)


def command(made, *words, code=0):
    return baseline("backbone", made, *words, code=code)


def test_a_run_is_made_from_options(made):
    arguments = ["--onnx", str(made / "tiny.onnx"), "--set", "head.kind=knn", "--licence", "CC BY 4.0"]
    done = command(made, *arguments, "--json")
    plain = json.loads(done.stdout)
    assert "backbone-tiny-knn" in json.dumps(plain)
    folder = made / "work" / "runs" / "backbone-tiny-knn" / "0" / "0"
    assert "CC BY 4.0" in (folder / "README.md").read_text()
    assert "channels in the order RGB" in done.stderr
    again = command(made, *arguments, "--json")
    assert json.loads(again.stdout) == plain


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "name it: --onnx FILE, --hf FOLDER or --torch FILE"),
        (["--onnx", "a.onnx", "--hf", "b"], 2, "expected one"),
        (["--torch", "a.pth"], 2, "--arch resnet50"),
        (["--onnx", "missing.onnx"], 7, "there is no file"),
        (["--hf", "google/vit-base-patch16-224"], 3, "nothing is"),
        (["--hf", "x", "--map", "a=b"], 2, "map without zero_shot"),
    ],
)
def test_wrong_options_are_one_clear_error(made, words, code, message):
    done = command(made, *words, code=code)
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_same_from_python(made):
    work = fgbench.open(made / "work")
    run = work.train("backbone", onnx=made / "tiny.onnx", settings={"head.kind": "logistic"}, device="cpu")
    assert run.name == "backbone-tiny-logistic/0/0"
    assert work.evaluate(run.name, device="cpu", jobs=1, progress=False).comparison.is_equal
    network = fgbench.load(run.folders[0], device="cpu")
    assert network.classes == run.classes
    classifier = write_onnx(made / "fer.onnx", TinyCnn(classes=2), metadata=stated(classes='["up", "down"]'))
    untrained = work.train(
        "backbone", onnx=classifier, zero_shot=True, map={"up": "relief", "down": ""}, device="cpu"
    )
    assert untrained.name == "backbone-fer-zero-shot/0/0"
    with pytest.raises((ArgumentError, ConfigError), match="expected one"):
        work.train("backbone")
    with pytest.raises((ArgumentError, ConfigError), match="no such option"):
        work.train("backbone", onnx=made / "tiny.onnx", weights="x.pth")
