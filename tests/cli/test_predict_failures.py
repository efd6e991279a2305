"""``fgbench predict``: one file never ends the run, whatever it is, does or is called."""

import os
import sys

import cv2
import numpy as np
import pytest
import skimage.data
from typer.testing import CliRunner

from fgbench import storage
from fgbench.cli.app import app
from fgbench.inference import pictures as prediction
from fgbench.inference.drawn_files import output_names
from fgbench.preparation.failures import LOG
from tests.support.tiny_runs import write_tiny_weights

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_tiny_weights(tmp_path_factory.mktemp("weights") / "w.safetensors")


@pytest.fixture(scope="module")
def face():
    astronaut = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    return cv2.imencode(".png", astronaut)[1].tobytes()


@pytest.fixture
def three(tmp_path, face):
    """Three pictures of a face; the reading of the second fails as the test says."""
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path in paths:
        path.write_bytes(face)
    return paths


@pytest.fixture
def failing(monkeypatch):
    def fail(error):
        read = prediction.read_image

        def read_image(path, *arguments, **named):
            if path.name == "b.png":
                raise error
            return read(path, *arguments, **named)

        monkeypatch.setattr(prediction, "read_image", read_image)

    return fail


def predict(weights, *paths, out):
    arguments = [weights, *paths, "--out", out, "--device", "cpu"]
    return CliRunner().invoke(app, ["predict", *map(os.fspath, arguments)])


def table(out):
    return list(storage.read_rows(out / "predictions.parquet"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "reason"),
    [(ValueError("no such colour"), "internal_error"), (MemoryError("std::bad_alloc"), "out_of_memory")],
)
def test_a_file_that_fails_leaves_the_others(weights, three, failing, tmp_path, error, reason):
    failing(error)
    done = predict(weights, *three, out=tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert [row["status"] for row in table(tmp_path / "out")] == ["ok", reason, "ok"]
    assert str(error) in table(tmp_path / "out")[1]["message"]
    assert f"{three[1]}: {reason}: {type(error).__name__}" in done.stdout
    assert f"1 of 3 files failed; tracebacks: {tmp_path / 'out' / LOG}" in done.stderr
    assert "Traceback" in (tmp_path / "out" / LOG).read_text()


@pytest.mark.slow
def test_an_interrupt_leaves_what_was_told(weights, three, failing, tmp_path):
    failing(KeyboardInterrupt())
    done = predict(weights, *three, out=tmp_path / "out")
    assert done.exit_code == 130
    assert [row["path"] for row in table(tmp_path / "out")] == [str(three[0])]


@pytest.mark.slow
def test_names_of_any_bytes(weights, face, tmp_path):
    names = [b"caf\xe9.png", b"two\nlines.png", b"\x1b[31mred.png", b"$x^{.png", b"plain.png"]
    paths = [tmp_path / os.fsdecode(name) for name in names]
    for path in paths:
        path.write_bytes(face)
    done = predict(weights, *paths, out=tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert [row["status"] for row in table(tmp_path / "out")] == ["ok"] * 5
    assert "\x1b" not in done.stdout
    assert "two\\x0alines.png: ok" in done.stdout
    assert "caf\\xe9.png: ok" in done.stdout
    assert table(tmp_path / "out")[0]["path"].endswith("/caf\\xe9.png")
    drawn = sorted(path.name for path in (tmp_path / "out").glob("*.prediction.png"))
    assert drawn == sorted(
        f"{name}.prediction.png" for name in ("caf%xe9", "two%x0alines", "%x1b[31mred", "$x^{", "plain")
    )


@pytest.mark.slow
def test_what_is_no_file_is_not_read(weights, face, tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "a.png").write_bytes(face)
    paths = [tmp_path / name for name in ("pipe.jpg", "zero.jpg", "a.png")]
    done = predict(weights, *paths, out=tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert [row["status"] for row in table(tmp_path / "out")] == ["not_a_file", "not_a_file", "ok"]


def test_output_names_are_of_a_length_that_file_systems_take(tmp_path):
    first, second = output_names([tmp_path / f"{'é' * 120}a.png", tmp_path / f"{'é' * 120}b.png"])
    assert first != second
    assert max(len(name.encode()) for name in (first, second)) <= 210
    assert output_names([tmp_path / "A.png", tmp_path / "a.jpg"]) == ["A", "a-2"]


@pytest.mark.parametrize("name", ["predictions.parquet", "b.prediction.png", "a.frames.parquet"])
def test_files_of_the_users_are_not_replaced(weights, three, tmp_path, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    refused = predict(weights, *three, out=out)
    assert refused.exit_code == 3
    assert f"would replace {out / name}, which fgbench did not write" in refused.stderr
    assert {path.name: path.read_text() for path in out.iterdir()} == {name: "mine"}


@pytest.mark.slow
def test_predictions_of_before_are_replaced(weights, three, tmp_path):
    for paths in (three, three[:1]):
        done = predict(weights, *paths, out=tmp_path / "out")
        assert done.exit_code == 0, done.output
        assert len(table(tmp_path / "out")) == len(paths)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other file systems hold no such names")
def test_weights_files_and_results_lie_in_folders_whose_names_are_no_text(face, tmp_path):
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    weights = write_tiny_weights(odd / "w.safetensors")
    (odd / "a.png").write_bytes(face)
    done = predict(weights, odd / "a.png", out=odd / "out")
    assert done.exit_code == 0, done.output
    assert table(odd / "out")[0]["path"].endswith("/caf\\xe9/a.png")
    assert sorted(path.name for path in (odd / "out").iterdir()) == [
        ".fgbench-files.json",
        "a.prediction.png",
        "predictions.parquet",
    ]
