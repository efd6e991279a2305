"""A network tells how the faces lay that it was trained on, and is not used on others without a word."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fgbench.errors import ConfigError, ManifestError
from fgbench.inference.picture_test import evaluate_images
from fgbench.media.images import encode
from fgbench.methods._networks.face_agreement import note_other_faces, refuse_mixed_faces, refuse_other_faces
from fgbench.methods._networks.model_card import model_card
from fgbench.methods.msau.opened import open_network
from fgbench.reports.protocols import knowledge_notes
from fgbench.reports.run.scores import scores_table
from fgbench.runs.face_origin import FACE_ORIGIN, face_notes, faces_of
from fgbench.runs.results import read_result
from fgbench.runs.weights import read_trained
from fgbench.training.context import TrainingContext
from tests.support.tiny_manifests import image_row, write_images
from tests.support.tiny_runs import write_tiny_weights
from tests.support.tiny_work import context_in, small_work

DLIB = {"align": "always", "geometry": "dlib", "padding": 0.25, "grey": False}
FACE = {"align": "always", "geometry": "face", "padding": None, "grey": False}


def work_folder(path, faces, *, grey=False):
    """A work folder as far as the origin of its faces goes: four pictures and a copy with coloured noise."""
    rng = np.random.default_rng(0)

    def picture(colours):
        levels = rng.integers(60, 200, (224, 224, colours), dtype=np.uint8)
        return encode(np.ascontiguousarray(np.broadcast_to(levels, (224, 224, 3))), "jpeg", 95)

    originals = [image_row(number, data=picture(1 if grey else 3)) for number in range(4)]
    copy = image_row(0, image_id="copy", parent_id=originals[0]["image_id"], data=picture(3))
    write_images(path / "manifests", [copy, *originals])
    recipe = {"dataset": {"name": "x"}, "faces": faces}
    (path / "prepare.json").write_text(json.dumps({"recipe": recipe, "root": "/data"}))
    return path


def context(workdir, origin):
    messages: list[str] = []
    return messages, TrainingContext(
        workdir=Path(workdir),
        manifest_digest="",
        details={"dataset": "x", FACE_ORIGIN: origin},
        seed=0,
        resume=False,
        force=False,
        jobs=1,
        progress=lambda *_: None,
        note=messages.append,
        device=torch.device("cpu"),
    )


def trained(tmp_path, origin):
    return read_trained(write_tiny_weights(tmp_path / "w.safetensors", **{FACE_ORIGIN: origin}))


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ({}, FACE),
        ({"geometry": "dlib"}, DLIB),
        ({"align": True, "padding": 0.25}, DLIB),  # as work folders of earlier versions tell it
        ({"align": "never"}, {**FACE, "align": "never"}),
    ],
)
def test_a_work_folder_tells_how_its_faces_lie(tmp_path, recipe, expected):
    assert faces_of(work_folder(tmp_path, recipe)) == expected


def test_grey_pictures_are_known_whatever_colour_noise_has(tmp_path):
    assert faces_of(work_folder(tmp_path, {}, grey=True)) == {**FACE, "grey": True}


def test_a_folder_without_recipe_tells_nothing(tmp_path):
    assert faces_of(tmp_path) is None
    with pytest.raises(ManifestError, match="does not tell how faces are aligned"):
        faces_of(work_folder(tmp_path, {"geometry": "round"}))


def test_faces_of_another_geometry_are_refused(tmp_path):
    network = trained(tmp_path, DLIB)
    _, here = context("work", FACE)
    with pytest.raises(
        ConfigError, match=r"faces of geometry dlib \(padding 0.25\), but work has geometry f"
    ) as r:
        refuse_other_faces(network, here)
    assert "faces: {geometry: dlib, padding: 0.25}" in r.value.hint
    with pytest.raises(ConfigError, match=r"padding 0\.4"):
        refuse_other_faces(network, context("work", {**DLIB, "padding": 0.4})[1])


@pytest.mark.parametrize("origin", [DLIB, {**DLIB, "align": "where-found"}, None])
def test_the_same_geometry_and_none_pass(tmp_path, origin):
    reported, here = context("work", origin)
    refuse_other_faces(trained(tmp_path, DLIB), here)
    assert reported == []


def test_aligned_faces_and_pictures_as_they_are_are_told_apart(tmp_path):
    reported, here = context("work", {**FACE, "align": "never"})
    refuse_other_faces(trained(tmp_path, DLIB), here)
    (note,) = reported
    assert note.endswith("was trained on aligned faces; work has pictures as they are")


def test_weights_that_do_not_tell_are_taken_with_a_word(tmp_path):
    reported, here = context("work", FACE)
    kept = refuse_other_faces(trained(tmp_path, None), here)
    assert len(reported) == 1
    assert "does not tell how the faces lay" in reported[0]
    assert kept == [f"faces: {reported[0]}"]


def test_starting_from_another_geometry_is_told(tmp_path):
    reported, here = context("work", FACE)
    note_other_faces(trained(tmp_path, DLIB), here)
    assert "saw faces of geometry dlib (padding 0.25); here they have geometry face" in reported[0]
    note_other_faces(trained(tmp_path, FACE), here)
    assert len(reported) == 1


def test_work_folders_of_two_geometries_are_not_taken_together():
    first, second = context("a", FACE)[1], context("b", DLIB)[1]
    refuse_mixed_faces([first, replace(first, workdir=Path("c"))])
    with pytest.raises(ConfigError, match=r"a has faces of geometry face, but b of geometry dlib"):
        refuse_mixed_faces([first, second])


def test_damaged_origins_in_weights_are_refused(tmp_path):
    with pytest.raises(ManifestError, match=r"faces\.geometry"):
        trained(tmp_path, {**FACE, "geometry": "round"})


def test_the_model_card_tells_the_geometry(tmp_path):
    network = trained(tmp_path, {**DLIB, "grey": True})
    result = {
        "details": {"dataset": "x", "synthetic": False, "manifest_digest": "0" * 64},
        "metrics": {"uar": 0.5, "war": 0.5, "macro_f1": 0.5, "n": 3},
        "fgbench": "0",
        "commit": None,
        "device": "cpu",
    }
    card = model_card(network.metadata, result)
    assert "- Faces: geometry dlib (padding 0.25) (`faces: {geometry: dlib, padding: 0.25}`), grey\n" in card


@pytest.mark.slow
def test_that_weights_do_not_tell_it_stands_in_the_result_and_its_tables(tmp_path):
    network = open_network(trained(tmp_path, None), torch.device("cpu"))
    here = context_in(
        tmp_path / "work",
        small_work(tmp_path / "prepared"),
        details={"dataset": "others", "synthetic": True, FACE_ORIGIN: FACE},
    )
    folder, _ = evaluate_images(network, here)
    details = read_result(folder)["details"]
    sentence = "Faces: w.safetensors does not tell how the faces lay in the pictures that it was trained on."
    assert details["notes"] == [f"{sentence[0].lower()}{sentence[1:-1]}"]
    assert sentence in scores_table(folder).notes
    assert f"tiny: {sentence}" in knowledge_notes([("tiny", details)])
    assert knowledge_notes([("other", {**details, "notes": []})])[-1:] != [f"other: {sentence}"]


def test_action_units_tell_it_too():
    details = {"notes": ["faces: au does not tell how the faces lay", "something else"]}
    assert face_notes(details) == ["Faces: au does not tell how the faces lay."]
