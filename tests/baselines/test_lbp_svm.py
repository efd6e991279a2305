"""The baseline ``lbp-svm`` on drawn pictures: far above chance, at chance on shuffled labels; errors."""

import json
import tracemalloc
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from fgbench import records, storage
from fgbench.config import LbpSvmConfig, load_baseline
from fgbench.errors import ConfigError, DatasetError, ManifestError, ResourceError
from fgbench.methods.lbp_svm import method as lbp_svm
from fgbench.methods.lbp_svm.choice import plan_choice
from fgbench.methods.lbp_svm.features import read_ids, read_matrices
from fgbench.methods.lbp_svm.kernels import Histograms, LbpKernels
from fgbench.reports.protocols import protocol_notes
from fgbench.runs.division import Division
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result, verify
from fgbench.runs.roles import Roles
from tests.support.run_contexts import run_context
from tests.support.striped_manifests import LABELS, manifests

pytestmark = pytest.mark.slow

QUICK = {"c_values": (10.0,), "gamma_factors": (1.0,), "normalisations": ("none",)}


def run(folder, root, *, seed=0, jobs=1, note=lambda text: None, **changes):
    config = load_baseline("lbp-svm", LbpSvmConfig).model_copy(update={**QUICK, **changes})
    changed = replace(run_context(folder, root), seed=seed, jobs=jobs, note=note)
    return lbp_svm.run(config, changed)


def test_stripes_are_told_apart_on_held_out_subjects(tmp_path):
    folder = run(manifests(tmp_path / "m"), tmp_path, normalisations=("none", "hellinger"))
    result = read_result(folder)
    assert result["metrics"]["uar"] > 0.8
    reported = result["details"]
    tried = [(trial["normalisation"], trial["kernel"]) for trial in reported["trials"]]
    assert tried == list(product(("none", "hellinger"), ("linear", "rbf", "chi2")))
    assert (reported["selection"], reported["n_train"], reported["n_fitted"], reported["n_selection"]) == (
        "part",
        198,
        198,
        66,
    )
    assert result["details"]["synthetic"] is True
    verify(folder)
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

    monkeypatch.setattr("fgbench.methods.lbp_svm.kernels._pairs", computed)
    monkeypatch.setattr("fgbench.svm.memory.available_bytes", lambda: 10**5)
    with pytest.raises(ResourceError, match=r"n = 198 training images .* 0\.0 GB") as caught:
        run(manifests(tmp_path / "m"), tmp_path)
    assert "augment.copies: 0" in caught.value.hint
    assert "solver: nystroem" in caught.value.hint
    with pytest.raises(
        ResourceError, match=r"approximated kernel of n = 198 training images from 50"
    ) as caught:
        run(manifests(tmp_path / "n"), tmp_path, solver="nystroem", landmarks=50)
    assert "set landmarks lower" in caught.value.hint
    assert not (tmp_path / "runs").exists()


def test_above_the_recipes_size_kernels_are_approximated_and_everybody_is_told(tmp_path):
    """198 training images: exact up to that many, approximated where the recipe allows one less."""
    folder = manifests(tmp_path / "m")
    messages = []
    exact = run(folder, tmp_path / "exact", exact_up_to=198, note=messages.append)
    assert messages == []
    assert read_result(exact)["details"]["solver"] == "exact"
    output = run(folder, tmp_path / "auto", exact_up_to=197, landmarks=100, note=messages.append)
    result = read_result(output)
    assert messages == result["details"]["notes"]
    assert messages[0].startswith("lbp-svm: kernels approximated from 100 of 198 training samples (Nyström)")
    assert (result["details"]["solver"], result["details"]["landmarks"]) == ("nystroem", 100)
    assert {trial["kernel"] for trial in result["details"]["trials"]} == {"linear", "rbf", "chi2"}
    assert result["metrics"]["uar"] > 0.8
    assert protocol_notes(result["details"])[-1] == f"L{messages[0][1:]}."
    named = run(folder, tmp_path / "named", solver="nystroem", landmarks=100)
    assert read_result(named)["predictions_sha256"] == result["predictions_sha256"]


def test_an_approximation_depends_on_the_seed_and_not_on_the_jobs(tmp_path):
    folder = manifests(tmp_path / "m")
    runs = [
        run(
            folder,
            tmp_path / f"{seed}-{jobs}",
            seed=seed,
            jobs=jobs,
            solver="nystroem",
            landmarks=40,
        )
        for seed, jobs in ((0, 1), (0, 3))
    ]
    digests = [read_result(one)["predictions_sha256"] for one in runs]
    assert digests[0] == digests[1]
    features = np.random.default_rng(0).random((60, 59)).astype(np.float32)
    config = load_baseline("lbp-svm", LbpSvmConfig).model_copy(update={"solver": "nystroem", "landmarks": 9})
    drawn = []
    for seed in (0, 0, 1):
        kernels = LbpKernels(
            config, Histograms(features.copy), scaled_by=slice(None), exact=False, seed=seed, jobs=1
        )
        drawn.append([kernel.fitted(slice(None)) for kernel in kernels][1])
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_the_plan_of_300000_images_is_within_8_gb():
    """Exact kernels of FER2013 with its copies are beyond that, approximated ones of AffectNet are not."""
    config = load_baseline("lbp-svm", LbpSvmConfig)
    for n, solver, fits in ((57_122, "exact", False), (57_122, "auto", True), (300_000, "auto", True)):
        roles = Roles(train=range(n), selection=range(4000), predicted=range(4000), test=range(4000))
        wanted = config.model_copy(update={"solver": solver})
        plan = partial(
            lbp_svm.plan_memory,
            plan_choice(wanted, roles, Division()),
            wanted,
            n_predicted=4000,
            width=2891,
            n_classes=8,
            jobs=8,
            available=8 * 10**9,
        )
        if fits:
            plan()
        else:
            with pytest.raises(ResourceError, match="n = 57122"):
                plan()
        assert config.solver_for(n) == "nystroem"
    assert config.solver_for(12_826) == "exact"


def test_validation_images_train_too_where_the_recipe_says_so(tmp_path):
    """What is chosen and how it is calibrated stays: that is done before, by machines that never saw them."""
    folder = manifests(tmp_path / "m")
    before = read_result(run(folder, tmp_path / "before"))
    output = run(folder, tmp_path / "refit", refit=True)
    after = read_result(output)
    assert (before["details"]["n_fitted"], after["details"]["n_fitted"]) == (198, 198 + 66)
    assert after["details"]["chosen"] == before["details"]["chosen"]
    assert after["details"]["trials"] == before["details"]["trials"]
    assert after["predictions_sha256"] != before["predictions_sha256"]
    assert after["metrics"]["uar"] > 0.8


def test_features_are_read_in_blocks(tmp_path, monkeypatch):
    """All that is held beside the matrices asked for is a few rows of a table."""
    tables = manifests(tmp_path / "m") / "features" / "lbp"
    monkeypatch.setattr("fgbench.methods.lbp_svm.features.ROWS_PER_GROUP", 8)
    ids = sorted(read_ids(tables))
    assert len(ids) == 12 * 33
    read_matrices(tables, [ids[:2]])  # imports are not counted
    tracemalloc.start()
    try:
        first, second = read_matrices(tables, [ids[::-1], ids[:5]])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * (first.nbytes + second.nbytes)
    rows = {row["image_id"]: row["lbp"] for row in storage.read_rows(tables / "00000.parquet")}
    np.testing.assert_array_equal(first, np.array([rows[name] for name in ids[::-1]], np.float32))
    np.testing.assert_array_equal(second, first[::-1][:5])


def test_tables_of_several_widths_are_an_error(tmp_path):
    tables = manifests(tmp_path / "m") / "features" / "lbp"
    row = {"image_id": "other", "clip_id": "other", "lbp": [0.0] * 59}
    storage.write_table(
        tables / "00001.parquet", pa.Table.from_pylist([row], schema=records.schema("lbp", 59))
    )
    with pytest.raises(ManifestError, match=r"00001\.parquet has 59 features per image, other tables 2478"):
        run(tables.parents[1], tmp_path)
