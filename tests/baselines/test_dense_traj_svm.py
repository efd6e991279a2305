"""The baseline ``dense-traj-svm`` on made-up descriptors: scores, leaks, clips without trajectories."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics.pairwise import additive_chi2_kernel

from fgbench import records, storage
from fgbench.config import DenseTrajSvmConfig
from fgbench.errors import ConfigError, DatasetError, ManifestError, ResourceError
from fgbench.features.bag_of_words import Codebook, CodebookConfig, fit_codebook
from fgbench.methods.dense_traj_svm import method as dense_traj_svm
from fgbench.methods.dense_traj_svm.bags import training_sample
from fgbench.methods.dense_traj_svm.kernels import ExactKernels, NystroemKernels, channel_histograms
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from fgbench.runs.roles import Roles, assign_roles
from fgbench.runs.samples import clip_samples
from fgbench.taxonomy import leaves
from tests.support.run_contexts import run_context

LABELS = [leaf.name for leaf in leaves()]
CONFIG = DenseTrajSvmConfig(name="dense-traj-svm", words=60, samples=4000, runs=1, c_values=(10.0,))
CLIPS = {"train": 3, "val": 1, "test": 2}
ALL_CLIPS = [
    f"{part}-{number}-{label}" for part, count in CLIPS.items() for number in range(count) for label in LABELS
]


def manifests(folder, *, other=0, empty=(), shuffle=False, without=()):
    """Clips whose descriptors lie around a place of their class; ``other`` changes val and test alone."""
    positions = np.random.default_rng(1).random((33, 426))
    shuffled = np.random.default_rng(2)
    clips, rows = [], []
    for part, count in CLIPS.items():
        for number in range(count):
            order = shuffled.permutation(33) if shuffle else np.arange(33)
            for index, label in enumerate(LABELS):
                if (label, part) in without:
                    continue
                name = f"{part}-{number}-{label}"
                reported = LABELS[order[index]]
                clips.append(
                    {"clip_id": name, "label": reported, "split": part, "subject_id": f"{part}{number}"}
                )
                seed = index + 100 * number + (0 if part == "train" else 10_000 * (1 + other))
                spread = np.random.default_rng(seed).normal(0, 0.1, (12, 426))
                for values in () if name in empty else np.abs(positions[index] + spread).astype(np.float16):
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


def run(folder, root, *, config=CONFIG, digest="d", progress=lambda name, done, total: None):
    context = run_context(folder, root)
    return dense_traj_svm.run(config, replace(context, manifest_digest=digest, progress=progress))


@pytest.mark.slow
def test_classes_are_told_apart_and_a_clip_without_trajectories_is_predicted(tmp_path):
    folder = run(manifests(tmp_path / "m", empty=("test-0-anger", "train-2-worry")), tmp_path)
    predictions = read_predictions(folder)
    assert len(predictions.sample_ids) == 66
    assert None not in predictions.predicted
    assert read_result(folder)["metrics"]["uar"] > 0.8


@pytest.mark.slow
def test_a_clip_without_trajectories_is_as_far_from_all_others_as_can_be(tmp_path):
    """In every channel, by scikit-learn's sum, which is twice the distance with the sign of a kernel."""
    folder = manifests(tmp_path / "m", empty=("test-0-anger", "train-2-worry", "train-1-lust"))
    roles = assign_roles(clip_samples(folder), protocol_name="clips")
    positions = {sample.clip_id: index for index, sample in enumerate(roles.train)}
    empty = np.isin(list(positions), ["train-2-worry", "train-1-lust"])
    tables = folder / "features" / "dense_trajectories"
    for channel in records.TRAJECTORY_CHANNELS:
        sample = training_sample(tables, channel, list(positions), size=4000, seed=0)
        codebook = fit_codebook(sample, CodebookConfig(words=60, samples=4000, runs=1), seed=0)
        actual = channel_histograms(tables, channel, roles, codebook)
        distances = -0.5 * additive_chi2_kernel(actual["train"], actual["train"])
        np.testing.assert_allclose(distances[empty][:, ~empty], 1.0, atol=1e-6)
        np.testing.assert_allclose(distances[empty][:, empty], 0.0, atol=1e-6)
        others = distances[~empty][:, ~empty]
        assert others.max() > 0.9
        assert others.max() <= 1.0 + 1e-6
        tested = -0.5 * additive_chi2_kernel(actual["test"], actual["train"])
        index = [sample.clip_id for sample in roles.predicted].index("test-0-anger")
        np.testing.assert_allclose(tested[index], np.where(empty, 0.0, 1.0), atol=1e-6)


@pytest.mark.slow
def test_a_descriptor_of_zeros_is_counted_for_a_word(tmp_path):
    """So that no clip with trajectories has an empty channel."""
    folder = manifests(tmp_path / "m")
    path = folder / "features" / "dense_trajectories" / "00000.parquet"
    rows = list(storage.read_rows(path))
    for row in rows:
        if row["clip_id"] == "train-0-anger":
            row["hof"] = [0.0] * 108
    storage.write_table(path, pa.Table.from_pylist(rows, schema=records.schema("dense_trajectories")))
    words = Codebook(np.eye(3, 108, dtype=np.float32) + 1, 0.0)
    roles = assign_roles(clip_samples(folder), protocol_name="clips")
    actual = channel_histograms(path.parent, "hof", roles, words)["train"]
    index = [sample.clip_id for sample in roles.train].index("train-0-anger")
    assert actual[index, :-1].sum() == pytest.approx(1)
    assert actual[index, -1] == 0


@pytest.mark.slow
def test_an_approximated_kernel_is_the_exact_one_where_all_clips_are_landmarks(tmp_path):
    """Products of its features against the Gram matrices, clips without trajectories included."""
    folder = manifests(tmp_path / "m", empty=("test-0-anger", "train-2-worry"))
    roles = assign_roles(clip_samples(folder), protocol_name="clips")
    tables = folder / "features" / "dense_trajectories"
    exact = ExactKernels(tables, roles, jobs=1)
    near = NystroemKernels(tables, roles, np.arange(len(roles.train)), jobs=2)
    for channel in ("traj", "hog"):
        sample = training_sample(tables, channel, [clip.clip_id for clip in roles.train], size=4000, seed=0)
        codebook = Codebook(sample[:: len(sample) // 60].astype(np.float32), 0.0)
        assert near.add(channel, codebook) == pytest.approx(exact.add(channel, codebook), rel=1e-6)
    features = near.candidate().train()
    np.testing.assert_allclose(features @ features.T, exact.candidate().train(), atol=2e-3)
    tested = near.candidate().selection() @ features.T
    np.testing.assert_allclose(tested, exact.candidate().selection(), atol=2e-3)
    np.testing.assert_allclose(near.predicted() @ features.T, exact.predicted(), atol=2e-3)


@pytest.mark.slow
def test_an_approximated_run_tells_classes_apart_and_says_what_it_is(tmp_path):
    folder = manifests(tmp_path / "m")
    settings = {"solver": "nystroem", "landmarks": 60}
    result = read_result(run(folder, tmp_path / "a", config=CONFIG.model_copy(update=settings)))
    assert result["metrics"]["uar"] > 0.8
    assert result["details"]["solver"] == "nystroem"
    assert "from 60 of 99 training samples" in result["details"]["notes"][0]
    assert read_result(run(folder, tmp_path / "b"))["details"]["solver"] == "exact"


def test_approximated_kernels_of_30000_clips_are_within_8_gb_and_exact_ones_are_not():
    roles = Roles(train=range(30_000), selection=range(4000), predicted=range(4000), test=range(4000))
    plan = {"n_classes": 33, "jobs": 8, "available": 8 * 10**9}
    dense_traj_svm.plan_memory(roles, CONFIG, **plan)
    with pytest.raises(ResourceError, match=r"n = 30000 training clips, with .* 5 channels") as caught:
        dense_traj_svm.plan_memory(roles, CONFIG.model_copy(update={"solver": "exact"}), **plan)
    assert "solver: nystroem" in caught.value.hint


@pytest.mark.slow
def test_shuffled_labels_give_chance(tmp_path):
    result = read_result(run(manifests(tmp_path / "m", shuffle=True), tmp_path))
    # Binomial: 66 samples at 1/33, mean 2, sd 1.4; more than 8 would come once in 2,000 runs.
    assert result["metrics"]["war"] * 66 <= 8


@pytest.mark.slow
def test_words_and_scales_do_not_see_validation_and_test(tmp_path):
    scales, words, bags = [], [], []
    for other in (0, 1):
        folder = manifests(tmp_path / str(other), other=other)
        scales.append(read_result(run(folder, tmp_path / f"run{other}"))["details"]["scales"])
        with np.load(tmp_path / f"run{other}/runs/dense-traj-svm/0/0/codebook-hog.npz") as kept:
            words.append(kept["words"])
        roles = assign_roles(clip_samples(folder), protocol_name="clips")
        tables = folder / "features" / "dense_trajectories"
        bags.append(channel_histograms(tables, "hog", roles, Codebook(words[-1], 0.0)))
        assert bags[-1]["train"].sum(axis=1) == pytest.approx(1)
    assert scales[0] == scales[1]
    np.testing.assert_array_equal(words[0], words[1])
    np.testing.assert_array_equal(bags[0]["train"], bags[1]["train"])
    assert not np.array_equal(bags[0]["test"], bags[1]["test"]), "the made-up test clips do differ"


@pytest.mark.slow
def test_progress_tells_of_every_run_of_k_means_and_of_every_channel(tmp_path):
    messages = []
    run(
        manifests(tmp_path / "m"),
        tmp_path,
        config=CONFIG.model_copy(update={"runs": 2}),
        progress=lambda name, done, total: messages.append((name, done, total)),
    )
    assert messages == [("words", done, 15) for done in range(1, 16)]


class KilledError(Exception):
    pass


@pytest.fixture
def fitted(monkeypatch):
    """Number of descriptors of every k-means that is begun."""
    begun = []

    def counting(sample, config, **how):
        begun.append(sample.shape[1])
        return fit_codebook(sample, config, **how)

    monkeypatch.setattr(dense_traj_svm, "fit_codebook", counting)
    return begun


def killed_after(folder, root, steps):
    def progress(name, done, total):
        if done == steps:
            raise KilledError

    with pytest.raises(KilledError):
        run(folder, root, progress=progress)


@pytest.mark.slow
def test_a_killed_run_goes_on_with_its_words_and_gives_the_same_bytes(tmp_path, fitted):
    folder = manifests(tmp_path / "m")
    expected = run(folder, tmp_path / "whole")
    assert fitted == [30, 96, 108, 96, 96]
    fitted.clear()
    killed_after(folder, tmp_path / "cut", 4)  # two channels are done: words and histograms of each
    assert fitted == [30, 96]
    killed_after(folder, tmp_path / "cut", 5)  # while the third one's words were made, before they were kept
    assert fitted == [30, 96, 108]
    resumed = run(folder, tmp_path / "cut")
    assert fitted == [30, 96, 108, 108, 96, 96]
    for name in ("predictions.parquet", "config.yaml"):
        assert (resumed / name).read_bytes() == (expected / name).read_bytes()
    assert read_result(resumed)["details"] == read_result(expected)["details"]
    assert not list(resumed.glob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"digest": "other"},
        {"config": CONFIG.model_copy(update={"words": 61})},
        {"config": CONFIG.model_copy(update={"samples": 300})},
        {"config": CONFIG.model_copy(update={"runs": 2})},
    ],
    ids=["manifests", "words", "samples", "runs"],
)
def test_words_of_other_settings_or_manifests_are_not_taken(tmp_path, fitted, change):
    folder = manifests(tmp_path / "m")
    killed_after(folder, tmp_path, 2)
    fitted.clear()
    run(folder, tmp_path, **change)
    assert fitted == [30, 96, 108, 96, 96]


@pytest.mark.slow
def test_other_penalties_take_the_same_words(tmp_path, fitted):
    folder = manifests(tmp_path / "m")
    run(folder, tmp_path)
    fitted.clear()
    run(folder, tmp_path, config=CONFIG.model_copy(update={"c_values": (1.0,)}))
    assert fitted == []


@pytest.mark.slow
def test_damaged_words_are_made_again(tmp_path, fitted):
    folder = manifests(tmp_path / "m")
    first = run(folder, tmp_path)
    before = (first / "predictions.parquet").read_bytes()
    for channel, damage in (("traj", b""), ("hog", b"no archive"), ("hof", b"PK\x03\x04 half")):
        (first / f"codebook-{channel}.npz").write_bytes(damage)
    fitted.clear()
    run(folder, tmp_path)
    assert fitted == [30, 96, 108]
    assert (first / "predictions.parquet").read_bytes() == before


@pytest.mark.slow
def test_sample_is_drawn_from_training_clips_in_their_order(tmp_path):
    """Whole, it is the rows of the clips named; a part of it is some of those rows, in order, repeatably."""
    tables = manifests(tmp_path / "m") / "features" / "dense_trajectories"
    clips = ["train-1-anger", "train-0-worry", "train-2-absent"]
    stored = storage.read_rows(tables / "00000.parquet")
    rows = {clip: [] for clip in clips}
    for row in stored:
        if row["clip_id"] in rows:
            rows[row["clip_id"]].append(row["mbhx"])
    every = np.array(rows[clips[0]] + rows[clips[1]], np.float16)
    sample = training_sample(tables, "mbhx", clips, size=100, seed=0)
    np.testing.assert_array_equal(sample, every)
    some = training_sample(tables, "mbhx", clips, size=7, seed=0)
    positions = [int(np.flatnonzero((every == row).all(axis=1))[0]) for row in some]
    assert len(positions) == 7
    assert positions == sorted(set(positions))
    np.testing.assert_array_equal(some, training_sample(tables, "mbhx", clips, size=7, seed=0))
    assert not np.array_equal(some, training_sample(tables, "mbhx", clips, size=7, seed=1))


def test_no_trajectories_at_all_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="no training clip has trajectories"):
        run(manifests(tmp_path / "m", empty=ALL_CLIPS), tmp_path)


def test_features_that_are_not_there_are_an_error(tmp_path):
    folder = manifests(tmp_path / "m")
    (folder / "features" / "dense_trajectories" / "00000.parquet").unlink()
    with pytest.raises(DatasetError, match="no training clip has trajectories"):
        run(folder, tmp_path)


def test_a_damaged_table_is_an_error(tmp_path):
    folder = manifests(tmp_path / "m")
    path = folder / "features" / "dense_trajectories" / "00000.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ManifestError, match=r"00000\.parquet is damaged"):
        run(folder, tmp_path)
    storage.write_table(path, pa.table({"clip_id": ["train-0-anger"]}))
    with pytest.raises(ManifestError, match=r"00000\.parquet lacks the columns traj"):
        run(folder, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("clip", ["train-0-anger", "val-0-worry", "test-1-lust"])
def test_descriptors_that_are_not_finite_name_the_clip(tmp_path, clip):
    folder = manifests(tmp_path / "m")
    path = folder / "features" / "dense_trajectories" / "00000.parquet"
    rows = list(storage.read_rows(path))
    bad = next(row for row in rows if row["clip_id"] == clip)
    bad["hog"][3] = float("nan")
    storage.write_table(path, pa.Table.from_pylist(rows, schema=records.schema("dense_trajectories")))
    with pytest.raises(DatasetError, match=f"clip {clip} has hog descriptors that are not finite"):
        run(folder, tmp_path)


def test_a_class_without_training_clips_is_an_error(tmp_path):
    with pytest.raises(DatasetError, match="1 of 33 classes have no training sample: worry"):
        run(manifests(tmp_path / "m", without={("worry", "train")}), tmp_path)


@pytest.mark.slow
def test_a_part_without_clips_is_an_error(tmp_path):
    for part, error, message in (
        ("train", ConfigError, "no train samples"),
        ("val", DatasetError, "no validation samples"),
        ("test", ConfigError, "no test samples"),
    ):
        without = {(label, part) for label in LABELS}
        with pytest.raises(error, match=message):
            run(manifests(tmp_path / part, without=without), tmp_path)


@pytest.mark.slow
def test_a_class_absent_from_test_has_a_blank_score(tmp_path):
    folder = run(manifests(tmp_path / "m", without={("worry", "test")}), tmp_path)
    result = read_result(folder)["metrics"]
    entries = {entry["label"]: entry for entry in result["classes"]}
    assert entries["worry"]["recall"] is None
    assert result["n_classes"] == 32


@pytest.mark.slow
def test_all_classes_are_not_the_first_one_where_validation_told_nothing(tmp_path):
    """Labels of validation moved by one: all are wrong, the curve is flat; the order of decisions is kept."""
    folder = manifests(tmp_path / "m")
    path = folder / "clips.parquet"
    rows = list(storage.read_rows(path))
    for row in rows:
        if row["split"] == "val":
            row["label"] = LABELS[(LABELS.index(row["label"]) + 1) % 33]
    storage.write_table(path, pa.Table.from_pylist(rows, schema=records.schema("clips")))
    output = run(folder, tmp_path)
    assert np.ptp(read_predictions(output).probabilities) < 1e-3
    assert read_result(output)["metrics"]["uar"] > 0.8
