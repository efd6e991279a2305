"""``fgbench predict``: which faces of the user's own files are looked at, and how they are shown."""

import pytest
from tiny_runs import write_tiny_weights

from fgbench.cli.predict import _found_by
from fgbench.training.trained import read_trained

DLIB = {"align": "always", "geometry": "dlib", "padding": 0.4, "grey": False}
FACE = {"align": "always", "geometry": "face", "padding": None, "grey": False}


@pytest.mark.parametrize(
    ("origin", "expected"),
    [(FACE, ("face", None)), (DLIB, ("dlib", 0.4)), (None, ("dlib", 0.25))],  # None: of an earlier version
)
def test_faces_lie_as_in_training(tmp_path, origin, expected):
    trained = read_trained(write_tiny_weights(tmp_path / "w.safetensors", faces=origin))
    faces = _found_by(trained).faces
    assert (faces.geometry, faces.padding) == expected
