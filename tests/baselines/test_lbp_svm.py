"""The baseline ``lbp-svm`` on drawn pictures: far above chance, at chance on shuffled labels; errors."""

import json
import random

import numpy as np
import pyarrow as pa
import pytest
from run_places import run_place

from fgbench import records, storage
from fgbench.baselines import lbp_svm
from fgbench.config import LbpSvmConfig, load_baseline
from fgbench.errors import ConfigError, DatasetError, ResourceError
from fgbench.evaluation.results import read_predictions, read_result, recompute
from fgbench.features.lbp import lbp_histograms
from fgbench.taxonomy import leaves

LABELS = [leaf.name for leaf in leaves()]
SUBJECTS = {"train": 6, "val": 2, "test": 4}


def manifests(folder, *, shuffle=False, without=(), no_face=0):
    """Manifests of made-up clips: a class is a pattern of stripes, a subject is a noise."""
    rng = np.random.default_rng(0)
    order = list(LABELS)
    clips, faces, images, features = [], [], [], []
    across, down = np.meshgrid(np.arange(96), np.arange(96))
    for part, count in SUBJECTS.items():
        for subject in range(count):
            if shuffle:
                random.Random(f"{part}{subject}").shuffle(order)
            for place, label in enumerate(LABELS):
                if (label, part) in without:
                    continue
                name = f"{part}-{subject}-{label}"
                angle, period = np.pi * place / 33, 5 + place % 3
                stripes = np.sin((across * np.cos(angle) + down * np.sin(angle)) * 2 * np.pi / period)
                picture = np.uint8(np.clip(128 + 60 * stripes + rng.normal(0, 25, (96, 96)), 0, 255))
                told = order[place] if shuffle else label
                about = {"clip_id": name, "label": told, "split": part, "subject_id": f"{part}{subject}"}
                clips.append(about)
                has_face = not (part == "test" and subject == 0 and place < no_face)
                status = "ok" if has_face else "no_face"
                faces.append({"clip_id": name, "frame_index": 0, "role": "both", "status": status})
                if has_face:
                    images.append({**about, "image_id": f"{name}-f00000", "frame_index": 0})
                    histogram = lbp_histograms(picture[None])[0]
                    features.append(
                        {"image_id": f"{name}-f00000", "clip_id": name, "lbp": histogram.tolist()}
                    )
    write = {
        "clips.parquet": (clips, records.schema("clips")),
        "faces/00000.parquet": (faces, records.schema("faces")),
        "images/all-00000.parquet": (images, records.schema("images")),
        "features/lbp/00000.parquet": (features, records.schema("lbp", 2478)),
    }
    for name, (rows, schema) in write.items():
        storage.write_table(folder / name, pa.Table.from_pylist(rows, schema=schema))
    return folder


def run(folder, root):
    return lbp_svm.run(load_baseline("lbp-svm", LbpSvmConfig), run_place(folder, root))


def test_stripes_are_told_apart_on_held_out_subjects(tmp_path):
    folder = run(manifests(tmp_path / "m"), tmp_path)
    result = read_result(folder)
    assert result["metrics"]["uar"] > 0.8
    assert result["details"]["synthetic"] is True
    assert recompute(folder).uar == result["metrics"]["uar"]
    predictions = read_predictions(folder)
    assert len(predictions.sample_ids) == 4 * 33
    assert all(name.startswith("test-") for name in predictions.sample_ids)
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1, atol=1e-5)


def test_shuffled_labels_give_chance(tmp_path):
    result = read_result(run(manifests(tmp_path / "m", shuffle=True), tmp_path))
    # Binomial: 132 samples at 1/33, mean 4, sd 2; more than 12 would come once in 10,000 runs.
    assert result["metrics"]["war"] * 132 <= 12


def test_images_without_a_face_count_as_wrong(tmp_path):
    folder = run(manifests(tmp_path / "m", no_face=10), tmp_path)
    predictions = read_predictions(folder)
    assert len(predictions.sample_ids) == 4 * 33
    assert sum(label is None for label in predictions.predicted) == 10
    assert read_result(folder)["metrics"]["n_missing"] == 10


def test_test_images_that_all_lack_features_count_as_wrong(tmp_path):
    folder = manifests(tmp_path / "m")
    table = folder / "features" / "lbp" / "00000.parquet"
    rows = [row for row in storage.read_rows(table) if not row["clip_id"].startswith("test-")]
    storage.write_table(table, pa.Table.from_pylist(rows, schema=records.schema("lbp", 2478)))
    metrics = read_result(run(folder, tmp_path))["metrics"]
    assert (metrics["n"], metrics["n_missing"], metrics["uar"]) == (132, 132, 0.0)
    assert metrics["classes"][0]["precision"] is None


@pytest.mark.parametrize(
    ("part", "error", "message"),
    [
        ("train", ConfigError, "no train samples"),
        ("val", DatasetError, "no validation samples"),
        ("test", ConfigError, "no test samples"),
    ],
)
def test_a_part_without_images_is_an_error(tmp_path, part, error, message):
    with pytest.raises(error, match=message):
        run(manifests(tmp_path / "m", without={(label, part) for label in LABELS}), tmp_path)


def test_a_class_without_training_images_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="no training sample: worry"):
        run(manifests(tmp_path / "m", without={("worry", "train")}), tmp_path)


def test_a_class_absent_from_test_has_a_blank_score(tmp_path):
    folder = run(manifests(tmp_path / "m", without={("worry", "test")}), tmp_path)
    entries = {
        entry["label"]: entry
        for entry in json.loads((folder / "result.json").read_text())["metrics"]["classes"]
    }
    assert entries["worry"]["recall"] is None
    assert read_result(folder)["metrics"]["n_classes"] == 32


def test_missing_and_broken_features_are_errors(tmp_path):
    folder = manifests(tmp_path / "m")
    table = folder / "features" / "lbp" / "00000.parquet"
    rows = list(storage.read_rows(table))
    rows[5]["lbp"][7] = float("nan")
    storage.write_table(table, pa.Table.from_pylist(rows, schema=records.schema("lbp", 2478)))
    with pytest.raises(DatasetError, match="features of 1 images are not finite"):
        run(folder, tmp_path)
    table.unlink()
    with pytest.raises(DatasetError, match="no features"):
        run(folder, tmp_path)


def test_more_images_than_memory_has_room_for_are_refused_before_any_kernel(tmp_path, monkeypatch):
    def computed(*_, **__):
        raise AssertionError("a kernel was computed")

    monkeypatch.setattr(lbp_svm, "linear_gram", computed)
    monkeypatch.setattr("fgbench.svm.memory.available_bytes", lambda: 10**5)
    with pytest.raises(ResourceError, match=r"n = 198 training images .* 0\.0 GB") as caught:
        run(manifests(tmp_path / "m"), tmp_path)
    assert "augment.copies: 0" in caught.value.hint
    assert not (tmp_path / "runs").exists()
