"""Table II tells what the whole face alone says, counted again with plain Python."""

import statistics

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.reports.tables import table2, table3
from fgbench.workfolders.sealed_json import write_sealed
from tests.support.benchmark_runs import PROTOCOL, fake_run, of_fold
from tests.support.divided_work import described, ekman_index, write_work
from tests.support.report_folders import LABELS, write_fake_run

DETAILS = {"kind": "image", "regions": 1}


def write_scales(folder, *, seed, met=0.25, classes=33):
    """Two scales per predicted sample, and a history whose second epoch was kept."""
    generator = np.random.default_rng(seed)
    names = [row["sample_id"] for row in pq.read_table(folder / "predictions.parquet").to_pylist()]
    rows = [
        {"sample_id": name, "branch": branch, "probabilities": generator.dirichlet(np.ones(classes)).tolist()}
        for name in names[:-3]
        for branch in (0, 1)
    ]
    storage.write_table(folder / "branches.parquet", pa.Table.from_pylist(rows[::-1]))
    epochs = [
        {"epoch": n, "losses": {"margin_met": share}, "score": {}, "learning_rate": 0.1, "seconds": 1.0}
        for n, share in enumerate((0.9, met))
    ]
    write_sealed(folder / "history.json", {"epochs": epochs, "best_epoch": 1})


def uar_of_faces(folder):
    """Mean over classes of the share of samples that the first scale tells right."""
    details = {
        row["sample_id"]: LABELS[int(np.argmax(row["probabilities"]))]
        for row in pq.read_table(folder / "branches.parquet").to_pylist()
        if row["branch"] == 0
    }
    rows = pq.read_table(folder / "predictions.parquet").to_pylist()
    recalls = []
    for label in LABELS:
        right = [details.get(row["sample_id"]) == label for row in rows if row["label"] == label]
        recalls.append(sum(right) / len(right))
    return statistics.mean(recalls)


def notes_of(work):
    return [note for note in table2.build(work).notes if "whole face alone" in note]


def test_the_whole_face_alone_stands_in_the_notes(tmp_path):
    folder = write_fake_run(tmp_path, "msau-small", method="MSAU-Net (Ours)", details=DETAILS)
    write_scales(folder, seed=1)
    write_fake_run(tmp_path, "au-cnn-small", method="AU+CNN", details={"kind": "image", "regions": 0})
    (note,) = notes_of(tmp_path)
    assert note == (
        f"MSAU-Net (Ours): by its whole face alone {uar_of_faces(folder):.3f}; share of training images "
        "whose region is surer of the class by the margin: 0.250."
    )


def test_over_seeds_it_is_mean_and_standard_deviation(tmp_path):
    folders = []
    for seed, met in ((0, 0.1), (1, 0.3)):
        folder = write_fake_run(tmp_path, "msau-small", method="MSAU-Net (Ours)", seed=seed, details=DETAILS)
        write_scales(folder, seed=seed, met=met)
        folders.append(folder)
    values = [uar_of_faces(folder) for folder in folders]
    (note,) = notes_of(tmp_path)
    assert f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}" in note
    assert f"{0.2:.3f} ± {statistics.stdev([0.1, 0.3]):.3f}" in note


def test_scales_of_other_classes_are_damage(tmp_path):
    folder = write_fake_run(tmp_path, "msau-small", method="MSAU-Net (Ours)", details=DETAILS)
    write_scales(folder, seed=1, classes=7)
    with pytest.raises(ManifestError, match=r"branches\.parquet is damaged: it has other classes"):
        table2.build(tmp_path)


def test_losses_of_streams_that_are_not_the_papers_are_told(tmp_path):
    for name, losses in (("tmsau-small", "fused"), ("tmsau-streams-small", "streams")):
        write_fake_run(
            tmp_path, name, method="TMSAU-Net (Ours)", details={"kind": "video", "losses_on": losses}
        )
    (note,) = [note for note in table2.build(tmp_path).notes if note.startswith("Trained by the losses")]
    assert note.endswith("(section IV-B): TMSAU-Net (Ours), tmsau-streams-small.")


def test_a_ranking_loss_that_is_added_is_told(tmp_path):
    for name, turns in (("msau-small", ["all"]), ("msau-alternating-small", ["softmax", "rank"])):
        write_fake_run(tmp_path, name, method="MSAU-Net (Ours)", details=DETAILS | {"turns": turns})
    write_fake_run(tmp_path, "au-z-cnn-small", method="AU+Z-CNN", details=DETAILS)
    added, turning = [note for note in table2.build(tmp_path).notes if "ranking loss" in note]
    assert added.startswith("Trained by the sum of softmax and ranking losses (ours)")
    assert added.endswith("not stated in the paper): MSAU-Net (Ours), msau-small.")
    assert turning.endswith("not stated in the paper: MSAU-Net (Ours), msau-alternating-small.")


def test_it_is_told_of_public_data_sets_too(tmp_path):
    work = write_work(tmp_path / "ck", described(), **ekman_index())
    for fold in PROTOCOL["folds"]:
        fake_run(work, "mine", of_fold(fold), fold=fold, kind="image", method="mine", turns=["all"])
    (note,) = [note for note in table3.build(work).notes if note.startswith("Trained by the sum of")]
    assert note.endswith("not stated in the paper): mine on ck-plus, 7 classes (SYNTHETIC).")
