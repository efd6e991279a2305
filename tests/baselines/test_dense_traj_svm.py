"""The baseline ``dense-traj-svm`` on made-up descriptors: scores, leaks, clips without trajectories."""

import numpy as np
import pyarrow as pa
import pytest

from fgbench import records, storage
from fgbench.baselines import dense_traj_svm
from fgbench.config import DenseTrajSvmConfig
from fgbench.errors import DatasetError
from fgbench.evaluation.results import read_predictions, read_result
from fgbench.evaluation.samples import clip_samples
from fgbench.taxonomy import leaves

LABELS = [leaf.name for leaf in leaves()]
CONFIG = DenseTrajSvmConfig(name="dense-traj-svm", words=60, samples=4000, runs=1, c_values=(10.0,))
CLIPS = {"train": 3, "val": 1, "test": 2}


def manifests(folder, *, other=0, empty=(), shuffle=False):
    """Clips whose descriptors lie around a place of their class; ``other`` changes val and test alone."""
    places = np.random.default_rng(1).random((33, 426))
    shuffled = np.random.default_rng(2)
    clips, rows = [], []
    for part, count in CLIPS.items():
        for number in range(count):
            order = shuffled.permutation(33) if shuffle else np.arange(33)
            for place, label in enumerate(LABELS):
                name = f"{part}-{number}-{label}"
                told = LABELS[order[place]]
                clips.append({"clip_id": name, "label": told, "split": part, "subject_id": f"{part}{number}"})
                seed = place + 100 * number + (0 if part == "train" else 10_000 * (1 + other))
                spread = np.random.default_rng(seed).normal(0, 0.1, (12, 426))
                for values in () if name in empty else np.abs(places[place] + spread).astype(np.float16):
                    row = {"clip_id": name, "end_frame": 15, **dict.fromkeys(records.TRAJECTORY_NUMBERS, 1.0)}
                    begin = 0
                    for channel, size in records.TRAJECTORY_CHANNELS.items():
                        row[channel] = values[begin : begin + size]
                        begin += size
                    rows.append(row)
    storage.write_table(folder / "clips.parquet", pa.Table.from_pylist(clips, schema=records.schema("clips")))
    table = pa.Table.from_pylist(rows, schema=records.schema("dense_trajectories"))
    storage.write_table(folder / "features" / "dense_trajectories" / "00000.parquet", table)
    return folder


def run(folder, root):
    return dense_traj_svm.run(
        folder,
        CONFIG,
        root=root,
        seed=0,
        manifest_digest="d",
        details={"dataset": "made up", "synthetic": True},
        progress=lambda name, done, total: None,
    )


def test_classes_are_told_apart_and_a_clip_without_trajectories_is_predicted(tmp_path):
    folder = run(manifests(tmp_path / "m", empty=("test-0-anger", "train-2-worry")), tmp_path)
    predictions = read_predictions(folder)
    assert len(predictions.sample_ids) == 66
    assert None not in predictions.predicted
    assert read_result(folder)["metrics"]["uar"] > 0.8


def test_shuffled_labels_give_chance(tmp_path):
    result = read_result(run(manifests(tmp_path / "m", shuffle=True), tmp_path))
    # Binomial: 66 samples at 1/33, mean 2, sd 1.4; more than 8 would come once in 2,000 runs.
    assert result["metrics"]["war"] * 66 <= 8


def test_words_and_scales_do_not_see_validation_and_test(tmp_path):
    scales, words = [], []
    for other in (0, 1):
        folder = manifests(tmp_path / str(other), other=other)
        scales.append(read_result(run(folder, tmp_path / f"run{other}"))["details"]["scales"])
        samples = {part: [s for s in clip_samples(folder) if s.part == part] for part in CLIPS}
        tables = folder / "features" / "dense_trajectories"
        histograms, book = dense_traj_svm.channel_histograms(tables, "hog", samples, CONFIG, seed=0, jobs=1)
        words.append(book.words)
        assert histograms["train"].sum(axis=1) == pytest.approx(1)
        words.append(histograms["train"])
    assert scales[0] == scales[1]
    np.testing.assert_array_equal(words[0], words[2])
    np.testing.assert_array_equal(words[1], words[3])


def test_no_trajectories_at_all_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="no training clip has trajectories"):
        run(
            manifests(tmp_path / "m", empty=[f"train-{n}-{label}" for n in range(3) for label in LABELS]),
            tmp_path,
        )
