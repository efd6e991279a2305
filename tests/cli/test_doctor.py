"""``fgbench doctor``: what is there, and what may be added by which command."""

import importlib.metadata
import json

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.provenance import installed_version


def test_what_may_be_added_is_a_row_each_with_its_version():
    done = CliRunner().invoke(app, ["doctor", "--json"])
    facts = json.loads(done.stdout)
    for name in ("torch", "safetensors", "onnx", "onnxruntime", "onnxscript", "peft", "crowd-kit", "httpx"):
        assert facts["extras"][name] == importlib.metadata.version(name)
    assert [text.partition(", ")[2] for text in facts["disk"].values()] == ["locks work"]
    output = CliRunner().invoke(app, ["doctor"]).stdout
    assert (
        "  dlib-hog: dlib's frontal face detector, HOG and a linear filter (CPU, no model file).\n" in output
    )
    assert f"  onnx: {importlib.metadata.version('onnx')}\n" in output
    assert f"  onnxruntime: {importlib.metadata.version('onnxruntime')}\n" in output


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("onnx", "export"),
        ("onnxruntime", "export"),
        ("tensorboard", "train"),
        ("transformers", "backbone"),
        ("huggingface-hub", "hub"),
        ("crowd-kit", "votes"),
        ("pympi-ling", "annotate"),
    ],
)
def test_what_is_absent_is_told_with_the_command_that_brings_it_and_is_no_fault(monkeypatch, name, extra):
    monkeypatch.setattr(
        "fgbench.api.required_packages.installed_version",
        lambda package: None if package == name else installed_version(package),
    )
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 0, done.output
    assert f"  {name}: not installed (pip install 'fgbench[{extra}]')\n" in done.stdout


@pytest.mark.parametrize(
    ("name", "other", "state", "is_fault"),
    [
        ("av", "19.0.1", "19.0.1, but fgbench needs >=17,<19 (pip install 'av>=17,<19')", True),
        ("numpy", "1.26.4", "1.26.4, but fgbench needs >=2.0 (pip install 'numpy>=2.0')", True),
        ("torch", "2.5.1", "2.5.1, but fgbench[train] needs >=2.6 (pip install 'torch>=2.6')", False),
    ],
)
def test_versions_that_will_not_do_are_told(monkeypatch, name, other, state, is_fault):
    monkeypatch.setattr(
        "fgbench.api.required_packages.installed_version",
        lambda package: other if package == name else installed_version(package),
    )
    done = CliRunner().invoke(app, ["doctor"])
    assert f"  {name}: {state}\n" in done.stdout
    assert done.exit_code == (9 if is_fault else 0)
    if is_fault:
        assert f"not usable: {name} {state}" in done.output
