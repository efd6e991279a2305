"""Models, loaded once in a test session."""

from __future__ import annotations

import pytest

from fgbench.faces.following import Models, load_models
from fgbench.faces.options import FaceOptions


@pytest.fixture(scope="session")
def models() -> Models:
    return load_models(FaceOptions())


@pytest.fixture(scope="session")
def models_5() -> Models:
    return load_models(FaceOptions(landmarks=5))
