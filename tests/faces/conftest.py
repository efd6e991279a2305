"""Models, loaded once in a test session."""

from __future__ import annotations

import pytest

from fgbench.config import FacesConfig
from fgbench.faces.locating import Models, load_models


@pytest.fixture(scope="session")
def models() -> Models:
    return load_models(FacesConfig())


@pytest.fixture(scope="session")
def models_5() -> Models:
    return load_models(FacesConfig(landmarks=5))
