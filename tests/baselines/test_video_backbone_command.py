"""``fgbench baseline video-backbone`` and ``work.train("video-backbone")``: from options to a run."""

import json

import pytest

import fgbench
from tests.support.backbone_work import baseline, write_command_work
from tests.support.tiny_clips import small_clips

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A work folder of coloured clips, and a network."""
    here = tmp_path_factory.mktemp("command")
    return write_command_work(here, small_clips(here / "made"))


@pytest.fixture(autouse=True)
def _without_stages(monkeypatch):
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)


def command(made, *words, code=0):
    return baseline("video-backbone", made, *words, code=code)


def test_a_run_is_made_from_options(made):
    done = command(made, "--onnx", str(made / "tiny.onnx"), "--set", "head.kind=knn", "--json")
    assert "video-backbone-tiny-knn" in json.dumps(json.loads(done.stdout))
    folder = made / "work" / "runs" / "video-backbone-tiny-knn" / "0" / "0"
    assert (folder / "prepared_face.png").is_file()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "0 networks are named, expected one"),
        (["--onnx", "missing.onnx"], 7, "there is no file"),
        (["--hf", "MCG-NJU/videomae-base"], 3, "nothing is downloaded"),
        (["--hf", "x", "--set", "input.crop=wide"], 3, "stored faces alone"),
    ],
)
def test_wrong_options_are_one_clear_error(made, words, code, message):
    done = command(made, *words, code=code)
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_the_same_from_python(made):
    work = fgbench.open(made / "work")
    settings = {"pool": "attention", "optimiser.epochs": 2, "attention.size": 8}
    run = work.train("video-backbone", onnx=made / "tiny.onnx", settings=settings, device="cpu")
    assert run.name == "video-backbone-tiny-attention/0/0"
    assert work.evaluate(run.name, device="cpu", jobs=1, progress=False).comparison.is_equal
    assert fgbench.load(run.folders[0], device="cpu").classes == run.classes
