"""The page without a browser: its data counted again from the files, its pictures, its safety, its size."""

import base64
import csv
import json
import statistics
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.config import PrepareConfig
from fgbench.evaluation.cluster_counts import count_clusters
from fgbench.evaluation.paired import paired_interval
from fgbench.evaluation.permutation import permutation_test
from fgbench.evaluation.significance import cluster_interval
from fgbench.media.images import decode
from fgbench.preparation import prepare
from fgbench.records import schema
from fgbench.reports.freshness import read_present
from fgbench.reports.page import rejected
from fgbench.reports.page.build import build_page
from fgbench.reports.page.sheets import COLUMNS, Sheets, square
from fgbench.resources import resource
from fgbench.runs.predictions import read_predictions
from fgbench.runs.read_digest import digests_now, read_digest
from fgbench.runs.results import DIGEST_KIND
from fgbench.storage import write_table
from fgbench.taxonomy import leaf
from fgbench.workfolders.manifest_index import content_digest, read_index
from tests.support.clip_folders import write_folder
from tests.support.page_folders import LABELS, write_clip_run, write_data, write_image_run
from tests.support.page_reading import Elements, blocks
from tests.support.report_folders import write_fake_run

IMAGE_RUNS = ("au-cnn-small", "lbp-svm", "msau-small")


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("page")
    test = write_data(
        work, clips={"train": 40, "val": 33, "test": 66}, images_per_clip=3, copies={"train": 15}
    )
    write_image_run(work, "msau-small", test["image"], method="MSAU-Net (Ours)", share=0.6)
    write_image_run(work, "au-cnn-small", test["image"], method="AU+CNN", share=0.4)
    write_fake_run(work, "lbp-svm", method=None, share=0.2, shown=test["image"])
    write_clip_run(work, "tmsau-small", test["video"], method="TMSAU-Net (Ours)", share=0.5)
    return work


@pytest.fixture(scope="module")
def page(work):
    return build_page(work)


@pytest.fixture(scope="module")
def data(page):
    return blocks(page)


def rows(work, experiment, name="predictions"):
    return pq.read_table(work / "runs" / experiment / "0" / "0" / f"{name}.parquet").to_pylist()


def positions_of(data):
    return {entry["experiment"]: index for index, entry in enumerate(data["overview"]["runs"])}


@pytest.mark.slow
def test_runs_and_their_sources(data):
    actual = [(entry["experiment"], entry["source"], entry["method"]) for entry in data["overview"]["runs"]]
    assert actual == [
        ("au-cnn-small", "image", "AU+CNN"),
        ("lbp-svm", "image", "LBP+SVM"),
        ("msau-small", "image", "MSAU-Net (Ours)"),
        ("tmsau-small", "video", "TMSAU-Net (Ours)"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("experiment", [*IMAGE_RUNS, "tmsau-small"])
def test_scores_are_those_counted_from_the_predictions(work, data, experiment):
    position = positions_of(data)[experiment]
    hits, total, reported = Counter(), Counter(), Counter()
    for row in rows(work, experiment):
        total[row["label"]] += 1
        hits[row["label"]] += row["predicted"] == row["label"]
        reported[row["predicted"]] += 1
    for score in data[f"run-{position}"]["scores"]:
        label = score["label"]
        assert score["n"] == total[label]
        assert score["recall"] == pytest.approx(hits[label] / total[label], abs=1e-6)
        precision = hits[label] / reported[label] if reported[label] else None
        assert score["precision"] == (None if precision is None else pytest.approx(precision, abs=1e-6))
    entry = data["overview"]["runs"][position]
    assert entry["uar"] == pytest.approx(
        statistics.fmean(hits[label] / total[label] for label in total), abs=1e-6
    )
    assert entry["war"] == pytest.approx(hits.total() / total.total(), abs=1e-6)
    assert entry["missing"] == reported[None]


def test_interval_goes_by_subjects(work, data):
    read = rows(work, "msau-small")
    interval = cluster_interval(
        [LABELS.index(row["label"]) for row in read],
        [-1 if row["predicted"] is None else LABELS.index(row["predicted"]) for row in read],
        clusters=[row["subject_id"] for row in read],
        n_classes=33,
    )
    entry = data["overview"]["runs"][positions_of(data)["msau-small"]]
    assert (entry["low"], entry["high"]) == pytest.approx((interval.low, interval.high), abs=1e-6)
    assert (entry["clusters"], entry["cluster"]) == (10, "10 subjects")
    assert entry["few"].startswith("Intervals of 10 clusters, fewer than 30, are a rough guide")


@pytest.mark.parametrize("experiment", [*IMAGE_RUNS, "tmsau-small"])
def test_each_sample_is_that_of_the_predictions(work, data, experiment):
    run = data[f"run-{positions_of(data)[experiment]}"]
    shown = data[f"samples-{run['samples']}"]
    read = rows(work, experiment)
    assert shown["ids"] == [row["sample_id"] for row in read]
    assert shown["clips"] == [row["clip_id"] for row in read]
    assert shown["subjects"] == [row["subject_id"] for row in read]
    assert [shown["classes"][number] for number in shown["labels"]] == [row["label"] for row in read]
    for index, row in enumerate(read):
        number = run["predicted"][index]
        assert (None if number < 0 else shown["classes"][number]) == row["predicted"]
        if row["predicted"] is not None:
            begin = index * run["n_top"]
            top = run["top"][begin : begin + run["n_top"]]
            best = sorted(range(33), key=lambda one, row=row: (-row["probabilities"][one], one))[:5]
            assert top == best
            reported = run["top_share"][begin : begin + run["n_top"]]
            assert reported == pytest.approx([1e4 * row["probabilities"][one] for one in best], abs=0.51)


def test_runs_on_the_same_samples_share_them(data):
    sets = {name: data[f"run-{position}"]["samples"] for name, position in positions_of(data).items()}
    assert len({sets[name] for name in IMAGE_RUNS}) == 1
    assert sets["tmsau-small"] != sets["msau-small"]


def test_papers_accuracies_stand_beside_those_of_its_methods(data):
    with resource("manifests", "paper", "table2.csv").open(encoding="utf-8") as file:
        printed = {
            row["class"]: float(row["value"])
            for row in csv.DictReader(file)
            if (row["source"], row["method"]) == ("video", "TMSAU-Net (Ours)")
        }
    run = data[f"run-{positions_of(data)['tmsau-small']}"]
    assert run["paper"] == [printed[label] for label in data[f"samples-{run['samples']}"]["classes"]]


def test_pairs_are_counted_and_paired(work, data):
    position = positions_of(data)
    first, second = sorted((position["au-cnn-small"], position["msau-small"]))
    (pair,) = [one for one in data["pairs"] if (one["first"], one["second"]) == (first, second)]
    names = [data["overview"]["runs"][number]["experiment"] for number in (first, second)]
    right = [[row["predicted"] == row["label"] for row in rows(work, name)] for name in names]
    counted = Counter(zip(*right, strict=True))
    assert pair["both"] == counted[True, True]
    assert pair["only_first"] == counted[True, False]
    assert pair["only_second"] == counted[False, True]
    assert pair["neither"] == counted[False, False]
    counts = []
    for name in names:
        read = read_predictions(work / "runs" / name / "0" / "0")
        counts.append(count_clusters(*read.numbers(), clusters=read.clusters(), n_classes=33))
    interval = paired_interval(*([one] for one in counts))
    actual = [pair["difference"], pair["low"], pair["high"], pair["p_permutation"]]
    expected = [interval.estimate, interval.low, interval.high, permutation_test(*counts).p]
    assert actual == pytest.approx(expected, abs=1e-6)
    assert position["tmsau-small"] not in {one[end] for one in data["pairs"] for end in ("first", "second")}


def test_regions_scales_and_curves_are_those_of_the_files(work, data):
    run = data[f"run-{positions_of(data)['msau-small']}"]
    ids = data[f"samples-{run['samples']}"]["ids"]
    regions = {(row["sample_id"], row["rank"]): row["box"] for row in rows(work, "msau-small", "regions")}
    assert run["boxes"] == [
        [[round(edge) for edge in regions[name, rank]] for rank in range(3)] for name in ids
    ]
    branches = rows(work, "msau-small", "branches")
    for number, name in enumerate(("whole face", "region 1")):
        described = {
            row["sample_id"]: int(np.argmax(row["probabilities"]))
            for row in branches
            if row["branch"] == number
        }
        opinion = run["opinions"][number]
        assert (opinion["name"], opinion["predicted"]) == (name, [described[one] for one in ids])
    history = json.loads((work / "runs" / "msau-small" / "0" / "0" / "history.json").read_text())
    assert run["history"]["losses"]["loss"] == [epoch["losses"]["loss"] for epoch in history["epochs"]]
    assert run["history"]["scores"]["scale1"] == [None, 0.05, 0.1, pytest.approx(0.15)]
    assert [epoch["epoch"] for epoch in history["epochs"]] == [0, 1, 2, 3]
    assert history["best_epoch"] == 3
    assert run["history"]["epochs"] == [1, 2, 3, 4], "a person counts epochs from 1, as the console does"
    assert run["history"]["best_epoch"] == 4


def test_attention_is_that_of_the_file(work, data):
    run = data[f"run-{positions_of(data)['tmsau-small']}"]
    ids = data[f"samples-{run['samples']}"]["ids"]
    weights = {(row["sample_id"], row["frame_index"]): row for row in rows(work, "tmsau-small", "attention")}
    assert len(run["attention"]) == 24
    for clip in run["attention"]:
        read = [weights[ids[clip["sample"]], frame] for frame in clip["frames"]]
        assert clip["first"] == pytest.approx([row["first"] for row in read], abs=1e-5)
        assert clip["second"] == pytest.approx([row["second"] for row in read], abs=1e-5)
        assert all(cell >= 0 for _, cell in clip["strip"])
    assert [one["name"] for one in run["opinions"]] == ["spatial stream", "temporal stream"]


def test_classes_are_counted_by_part_and_source(work, data):
    clips = pq.read_table(work / "manifests" / "clips.parquet").to_pylist()
    images = [
        row
        for path in sorted((work / "manifests" / "images").glob("*.parquet"))
        for row in pq.read_table(path, columns=["split", "label", "parent_id"]).to_pylist()
    ]
    counts = data["dataset"]["counts"]
    expected = {
        "Video": Counter((row["split"], row["label"]) for row in clips),
        "Image": Counter((row["split"], row["label"]) for row in images if row["parent_id"] is None),
        "Augmented Image": Counter((row["split"], row["label"]) for row in images),
    }
    for source, counted in expected.items():
        for part, values in zip(counts["parts"], counts["sources"][source], strict=True):
            assert values == [counted[part, label] for label in counts["labels"]]
    assert counts["labels"] == list(LABELS)
    assert data["overview"]["totals"] == {"Image": 417, "Video": 139}


def cells(page, sheet, across):
    """Cells of a sheet, as pictures."""
    picture = decode(base64.b64decode(Elements(page).texts[f"sheet-{sheet}"]))
    side = picture.shape[1] // across
    return {
        row * across + column: picture[row * side : (row + 1) * side, column * side : (column + 1) * side]
        for row in range(picture.shape[0] // side)
        for column in range(across)
    }


def test_the_picture_of_a_sample_is_its_own(work, page, data):
    stored = {
        row["image_id"]: row["image"]["bytes"]
        for path in (work / "manifests" / "images").glob("test-*.parquet")
        for row in pq.read_table(path).to_pylist()
    }
    shown = data["samples-0"]
    sheet = shown["sheets"][0]
    side, count = data["overview"]["sheets"][sheet]
    actual = cells(page, sheet, min(COLUMNS, count))
    for index in range(0, len(shown["ids"]), 9):
        assert shown["sheets"][index] == sheet
        expected = square(decode(stored[shown["ids"][index]]), side)
        away = np.abs(actual[shown["cells"][index]].astype(int) - expected).mean()
        assert away < 8, "the picture of another face is some 40 away"


def test_a_clip_is_shown_by_its_key_frame(work, data):
    run = data[f"run-{positions_of(data)['tmsau-small']}"]
    shown = data[f"samples-{run['samples']}"]
    assert min(shown["cells"]) >= 0
    assert len({*zip(shown["sheets"], shown["cells"], strict=True)}) == len(shown["ids"])


def test_contact_sheets_show_every_clip_once(data):
    """The frames of a clip look alike."""
    anger = next(one for one in data["dataset"]["contacts"] if one["label"] == "anger")
    ids = [name for name, *_ in anger["faces"]]
    assert anger["n"] == 15
    assert len(ids) == len({name.rsplit("-f", 1)[0] for name in ids}) == 5
    assert [name.rsplit("-f", 1)[1] for name in ids] == ["00002"] * 5  # the key frame


def test_what_could_not_be_used_is_listed(data):
    actual = data["dataset"]["rejected"]
    assert actual["reasons"] == [["ingest", "empty_file", 1]]
    assert actual["clips"][0] | {"picture": None} == {
        "id": "lost",
        "stage": "ingest",
        "reason": "empty_file",
        "detail": "0 bytes",
        "picture": None,
    }
    assert actual["statuses"] == [["no_face", 1]]


def test_frames_without_a_face_are_of_different_clips(tmp_path):
    rows = [(f"c{number // 3}", number) for number in range(9)]
    table = [
        {"clip_id": clip, "frame_index": frame, "role": "image", "status": "no_face"} for clip, frame in rows
    ]
    write_table(tmp_path / "faces" / "part.parquet", pa.Table.from_pylist(table, schema=schema("faces")))
    shown, counts = rejected._unusable(tmp_path)
    assert [row["clip"] for row in shown] == ["c0", "c1", "c2"]
    assert counts == {"no_face": 9}


@pytest.mark.slow
def test_a_rejected_clip_shows_a_frame_of_its_video(tmp_path):
    root = write_folder(tmp_path / "clips", 3)
    (root / "annotations.csv").unlink()
    votes = ["clip,annotator,label,confidence,key_frame,round"]
    for clip, labels in (
        ("c000", ["anger"] * 3),
        ("c001", ["pride"] * 3),
        ("c002", ["anger", "gloom", "lust"]),
    ):
        votes += [f"{clip}.mp4,a{index},{label},0.9,3,1" for index, label in enumerate(labels)]
    (root / "votes.csv").write_text("\n".join(votes) + "\n")
    recipe = {"name": "page", "faces": {"align": "never"}, "dataset": {"name": "mine", "synthetic": True}}
    prepare.run(PrepareConfig.model_validate(recipe), root, tmp_path / "work")
    page = build_page(tmp_path / "work")
    (clip,) = blocks(page)["dataset"]["rejected"]["clips"]
    assert (clip["id"], clip["reason"]) == ("c002", "reannotate")
    sheet, cell = clip["picture"]
    shown = cells(page, sheet, 1)[cell]
    assert shown.std() > 10, "a moving ramp, not a blank"


def test_pictures_that_cannot_be_read_have_no_place(tmp_path):
    write_data(tmp_path, clips={"test": 2}, images_per_clip=1, copies={}, n_faces=1)
    sheets = Sheets()
    (sheet,) = sheets.want(["absent", "test-clip0001-f00000"], side_px=16)
    (packed,) = sheets.pack(tmp_path / "manifests")
    assert [sheets.cell_of(sheet, name) for name in ("absent", "test-clip0001-f00000")] == [-1, 0]
    assert decode(packed.webp).shape == (16, 16, 3)


def test_a_square_is_cut_from_the_middle():
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:, 2:6] = 200
    assert (square(picture, 2) == 200).all()


def test_provenance_names_runs_of_other_manifests(work, data):
    assert data["origin"]["manifest_digest"] == read_digest(work, read_index(work))
    run = next(one for one in data["origin"]["runs"] if one["key"] == "msau-small/0/0")
    assert run["state"] == "now"
    assert (run["facts"]["manifest_digest"], run["seed"], run["facts"]["device"]) == (
        read_digest(work, read_index(work)),
        0,
        "cpu",
    )
    written = json.loads((work / "runs" / "msau-small" / "0" / "0" / "result.json").read_text())
    assert run["versions"] == written["versions"]
    assert run["predictions_sha256"] == written["predictions_sha256"]


@pytest.mark.parametrize("features", [[], ["lbp"]])
def test_runs_of_these_manifests_are_told_whatever_features_they_read(work, features):
    index = read_index(work)
    index["files"] |= {"features/lbp/0.parquet": {"sha256": "1" * 64}}
    assert read_digest(work, index, features) in digests_now(work, index)
    present = replace(read_present(work), digests=digests_now(work, index))
    for digest in (read_digest(work, index, features), content_digest(index, features)):
        assert present.digest_state({"manifest_digest": digest}) == "now"
    assert present.digest_state({"manifest_digest": "2" * 64, "digest_kind": DIGEST_KIND}) == "old data"
    assert present.digest_state({"manifest_digest": "2" * 64}) == "not known"


def test_upper_classes_are_those_of_the_tree(data):
    assert data["overview"]["tree"] == [[label, leaf(label).basic, leaf(label).valence] for label in LABELS]
