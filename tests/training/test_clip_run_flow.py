"""Optical flow of clip networks: its kind, in runs, on other data and in files."""

import json
import shutil
from dataclasses import replace

import pytest

from fgbench.errors import ConfigError, ManifestError
from fgbench.inference.clip_test import evaluate_clips
from fgbench.inference.own_networks import input_settings
from fgbench.methods.tmsau.opened import open_clip_network
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from tests.support.clip_networks import CPU, KINDS, run_in
from tests.support.tiny_clips import small_clips
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_work import context_in

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    return small_clips(tmp_path_factory.mktemp("clips"))


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return read_trained(write_tiny_weights(tmp_path_factory.mktemp("image") / "weights.safetensors"))


@pytest.fixture(scope="module")
def done(manifests, image, tmp_path_factory):
    return run_in(tmp_path_factory.mktemp("done") / "work", manifests, image)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("bound_px", 20.0, "112 px by farneback up to 20 px"),
        ("method", "dis", "112 px by dis up to 5 px"),
        ("size_px", 96, "96 px by farneback up to 5 px"),
    ],
)
def test_optical_flow_of_another_kind_is_refused(tmp_path, done, manifests, key, value, words):
    folder, _ = done
    expected = {"size_px": 112, "method": "farneback", "bound_px": 5.0}
    assert read_result(folder)["details"]["optical_flow"] == expected
    trained = read_trained(folder / "weights.safetensors")
    assert trained.metadata["optical_flow"] == expected
    context = context_in(tmp_path / "work", manifests, manifest_digest="o")
    path = context.workdir / "prepare.json"
    prepared = json.loads(path.read_text())
    prepared["recipe"]["optical_flow"][key] = value
    path.write_text(json.dumps(prepared))
    network = open_clip_network(trained, CPU)
    with pytest.raises(ConfigError) as error:
        evaluate_clips(network, context)
    assert (
        f"was trained on optical flow of 112 px by farneback up to 5 px, but {context.workdir} has {words}"
        in (error.value.message)
    )
    assert all(f"{name}: {reported}" in error.value.hint for name, reported in expected.items())
    assert not (context.workdir / "runs").exists()

    unknown = {name: reported for name, reported in trained.metadata.items() if name != "optical_flow"}
    notes = []
    older = replace(network, trained=replace(trained, metadata=unknown))
    evaluate_clips(older, replace(context, note=notes.append))
    assert notes == ["tiny-tmsau/0/0 does not tell how the optical flow was computed that it was trained on"]


def test_files_get_the_optical_flow_that_weights_tell_of(tmp_path, done):
    trained = read_trained(done[0] / "weights.safetensors")
    described = {"size_px": 96, "method": "dis", "bound_px": 7.0}
    alone = replace(
        trained, path=tmp_path / "w.safetensors", metadata={**trained.metadata, "optical_flow": described}
    )
    flow = input_settings(alone).flow
    assert {name: getattr(flow, name) for name in described} == described


def test_without_flow_its_kind_does_not_matter(tmp_path, manifests, image):
    folder, _ = run_in(tmp_path / "own", manifests, image, **KINDS["nan"])
    trained = read_trained(folder / "weights.safetensors")
    assert trained.metadata["optical_flow"] is None
    context = context_in(tmp_path / "work", manifests, manifest_digest="o")
    path = context.workdir / "prepare.json"
    prepared = json.loads(path.read_text())
    prepared["recipe"]["optical_flow"]["bound_px"] = 20.0
    path.write_text(json.dumps(prepared))
    made, _ = evaluate_clips(open_clip_network(trained, CPU), context)
    assert made.is_relative_to(context.workdir)


def test_without_flow_the_message_says_what_to_do(tmp_path, manifests, image):
    shutil.copytree(manifests, tmp_path / "manifests")
    shutil.rmtree(tmp_path / "manifests" / "features")
    with pytest.raises(ManifestError, match=r"optical_flow is missing"):
        run_in(tmp_path / "work", tmp_path / "manifests", image)
