"""Locations of the model files of detectors and landmark predictors.

dlib's models come with the package ``face-recognition-models``, which is found without being imported (its
import needs ``pkg_resources``, which new Python installations lack). A path given by the user has
precedence.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from fgbench.errors import ConfigError, DependencyError

PACKAGE = "face_recognition_models"
"""Package whose folder ``models`` holds dlib's model files."""

MODEL_FILES = {
    "landmarks-68": "shape_predictor_68_face_landmarks.dat",
    "landmarks-5": "shape_predictor_5_face_landmarks.dat",
    "dlib-cnn": "mmod_human_face_detector.dat",
}
"""Name of a model to its file's name."""


def find_model(name: str, path: Path | str | None = None) -> Path:
    """Path of a model file that exists.

    Args:
        name: Key of :data:`MODEL_FILES`; with ``path`` any name, used for the message only.
        path: The user's own file, used instead of the packaged one.

    Raises:
        ConfigError: If there is neither a path nor a packaged model of this name.
        DependencyError: If the file does not exist.
    """
    if path is not None:
        own = Path(path).expanduser()
        if not own.is_file():
            raise DependencyError(
                f"model file {own} of {name} does not exist", "check the path in the recipe"
            )
        return own
    if name not in MODEL_FILES:
        raise ConfigError(
            f"{name} has no model file in fgbench, and none was given",
            f"name your own file; models that fgbench finds by itself: {', '.join(sorted(MODEL_FILES))}",
        )
    spec = importlib.util.find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        file = Path(folder) / "models" / MODEL_FILES[name]
        if file.is_file():
            return file
    raise DependencyError(
        f"model file {MODEL_FILES[name]} of {name} was not found in the package face-recognition-models",
        "install it: pip install face-recognition-models; or name your own file in the recipe",
    )
