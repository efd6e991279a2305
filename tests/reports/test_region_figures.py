"""Figures 6 and 7: counts of regions, parts of the face, curves; what is drawn."""

import re
import statistics

import numpy as np
import pyarrow.parquet as pq
import pytest

from fgbench.errors import ManifestError
from fgbench.reports.experiments import NoRunError
from fgbench.reports.figures import figure6, figure7
from fgbench.reports.rendering.drawings import png
from fgbench.taxonomy import leaf
from tests.support.report_folders import LABELS, samples, write_fake_run, write_manifests, write_regions

MOUTH, EYES, NOSE = (4, 3), (1, 3), (3, 3)  # cells of the made-up regions


def cells_of(name, label):
    """Mouth first for pleasant classes, eyes for unpleasant ones, but nose for every fourth image."""
    if name.endswith("f00003"):
        return [NOSE, MOUTH, EYES]
    return [MOUTH, EYES, NOSE] if leaf(label).valence == "pleasant" else [EYES, NOSE, MOUTH]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("figures")
    write_manifests(work, samples())
    folder = write_fake_run(work, "msau", method="MSAU-Net (Ours)", share=0.5)
    write_regions(folder, {name: cells_of(name, label) for name, _, _, label in samples()})
    for number in range(1, 7):
        write_fake_run(
            work,
            f"msau-progressive-r{number}",
            method="MSAU-Net, progressive",
            share=0.9 if number == 3 else 0.3,
            details={"regions": number, "recipe": "msau-progressive"},
        )
    return work


@pytest.mark.slow
def test_figure6_counts_first_cells_per_valence(work):
    table = figure6.build(work).table
    shares = {(row[0], row[1] - 1, across): cell for row in table.rows for across, cell in enumerate(row[2:])}
    assert len(shares) == 2 * 6 * 6
    assert shares["pleasant", *MOUTH] == pytest.approx(0.75)
    assert shares["unpleasant", *EYES] == pytest.approx(0.75)
    assert shares["pleasant", *NOSE] == shares["unpleasant", *NOSE] == pytest.approx(0.25)
    assert sum(shares.values()) == pytest.approx(2.0)
    assert any("48 pleasant, 84 unpleasant test faces" in note for note in table.notes)
    assert "From runs/msau/0/0." in table.notes


@pytest.mark.slow
def test_figure6_tells_the_parts_of_the_face(work):
    notes = figure6.build(work).table.notes
    assert (
        "Part of the face nearest to the first region, of faces with 68 landmarks: pleasant nose 25%, "
        "mouth 75%; unpleasant nose 25%, eyes 75%." in notes
    )
    (claim,) = [note for note in notes if "section V-E" in note]
    assert "the mouth is first for 75% of pleasant and 0% of unpleasant faces" in claim
    assert "eyes or brows for 0% and 75%" in claim
    assert "the mouth is more often first for pleasant faces" in claim


def test_figure6_says_so_where_the_paper_is_not_met(tmp_path):
    write_manifests(tmp_path, samples())
    folder = write_fake_run(tmp_path, "msau", method="MSAU-Net (Ours)")
    write_regions(folder, {name: [NOSE, EYES, MOUTH] for name, *_ in samples()})
    (claim,) = [note for note in figure6.build(tmp_path).table.notes if "section V-E" in note]
    assert "the mouth is not more often first for pleasant" in claim
    assert "eyes or brows are not more often first for unpleasant" in claim


def test_figure6_of_faces_without_landmarks_tells_no_parts(tmp_path):
    write_manifests(tmp_path, samples(1), landmarks=False)
    folder = write_fake_run(tmp_path, "msau", method="MSAU-Net (Ours)", shown=samples(1))
    write_regions(folder, {name: [NOSE] for name, *_ in samples(1)})
    notes = figure6.build(tmp_path).table.notes
    assert any("is not told: it needs" in note for note in notes)
    assert not any("section V-E" in note for note in notes)


@pytest.mark.slow
def test_figure6_draws_a_face_per_class_with_three_regions(work):
    drawing = figure6.build(work).draw()
    assert drawing.get_suptitle() == "Figure 6. Regions of MSAU-Net: mine (SYNTHETIC data)"
    rows = pq.read_table(work / "runs/msau/0/0/predictions.parquet").to_pylist()
    outcomes = {(row["label"], row["predicted"]) for row in rows}
    shown = []
    for axes in drawing.axes:
        words = [text.get_text() for text in axes.texts]
        label, outcome = (word for word in words if word not in {"1", "2", "3", "pleasant", "unpleasant"})
        shown.append(label)
        predicted = label if outcome == "✓ correct" else outcome.removeprefix("✗ taken for ")
        assert (label, None if predicted == "none" else predicted) in outcomes
        boxes = [(patch.get_x(), patch.get_y(), patch.get_width()) for patch in axes.patches]
        first = cells_of("f00000", label)
        assert len(boxes) == 3
        assert (boxes[0][0], boxes[0][1], boxes[0][2]) in {
            (32.0 * across, 32.0 * down, 64.0) for down, across in (first[0], NOSE)
        }
    assert len(shown) == len(set(shown)) == 24
    assert [leaf(label).valence for label in shown] == ["pleasant"] * 12 + ["unpleasant"] * 12
    assert {leaf(label).basic for label in shown} == {leaf(label).basic for label in LABELS}


@pytest.mark.slow
def test_figure6_is_drawn_the_same_twice(work):
    assert png(figure6.build(work).draw()) == png(figure6.build(work).draw())


def test_figure6_without_regions_or_images(tmp_path):
    with pytest.raises(NoRunError, match="no finished run of MSAU-Net"):
        figure6.build(tmp_path)
    folder = write_fake_run(tmp_path, "msau", method="MSAU-Net (Ours)")
    with pytest.raises(NoRunError, match=r"no complete run of msau has regions\.parquet"):
        figure6.build(tmp_path)
    write_regions(folder, {name: [NOSE] for name, *_ in samples()})
    with pytest.raises(ManifestError, match="no complete manifests"):
        figure6.build(tmp_path)
    write_manifests(tmp_path, samples()[:40])
    with pytest.raises(ManifestError, match="images of the run are not in the manifests"):
        figure6.build(tmp_path).draw()
    write_regions(folder, {name: [(6, 0)] for name, *_ in samples()})
    with pytest.raises(ManifestError, match=r"has cell \(6, 0\), expected 0 to 5"):
        figure6.build(tmp_path)


def test_figure7_has_a_point_per_number_of_regions(work):
    table = figure7.build(work).table
    assert [row[:3] for row in table.rows] == [
        ["number of regions", "msau-progressive", number] for number in range(1, 7)
    ]
    for row in table.rows:
        rows = pq.read_table(work / f"runs/msau-progressive-r{row[2]}/0/0/predictions.parquet").to_pylist()
        accuracies = [
            statistics.mean(entry["predicted"] == label for entry in rows if entry["label"] == label)
            for label in LABELS
        ]
        assert row[3] == pytest.approx(statistics.mean(accuracies))
        assert row[4] <= row[3] <= row[5]
    (note,) = [note for note in table.notes if "highest at" in note]
    assert note.startswith("msau-progressive: highest at 3 (")
    assert "the paper's at 4; lowest at" in note
    assert re.search(r"; paired test over whole clusters, corrected for 15 pairs: p [01]\.\d{3}\.$", note)
    assert any("runs/msau-progressive-r6/0/0" in note for note in table.notes)


@pytest.mark.slow
def test_figure7_is_drawn_with_intervals_and_the_papers_peak(work):
    figure = figure7.build(work)
    (axes,) = figure.draw().axes
    assert axes.get_xlabel() == "Number of regions"
    assert "Mean accuracy" in axes.get_ylabel()
    (curve,) = axes.containers
    assert curve.has_yerr
    np.testing.assert_allclose(
        curve.lines[0].get_ydata().astype(float), [row[3] for row in figure.table.rows]
    )
    peaks = [line for line in axes.lines if line.get_label() == "paper: highest at 4"]
    assert [list(line.get_xdata()) for line in peaks] == [[4, 4]]
    assert png(figure.draw()) == png(figure.draw())


@pytest.mark.slow
def test_figure7_keeps_recipes_apart(tmp_path):
    for recipe in ("msau-progressive", "msau-progressive-small"):
        for number in (2, 1):
            write_fake_run(
                tmp_path,
                f"{recipe}-r{number}",
                method="MSAU-Net, progressive",
                details={"regions": number, "recipe": recipe},
            )
    figure = figure7.build(tmp_path)
    assert [row[1:3] for row in figure.table.rows] == [
        ["msau-progressive", 1],
        ["msau-progressive", 2],
        ["msau-progressive-small", 1],
        ["msau-progressive-small", 2],
    ]
    assert len(figure.draw().axes[0].containers) == 2


def test_figure7_needs_the_number_of_regions(tmp_path):
    write_fake_run(tmp_path, "mine", method="MSAU-Net, progressive", details={"recipe": "mine"})
    with pytest.raises(ManifestError, match="runs of mine have regions = None"):
        figure7.build(tmp_path)


def test_figure7_without_runs(tmp_path):
    write_fake_run(tmp_path, "msau", method="MSAU-Net (Ours)", details={"regions": 1})
    with pytest.raises(NoRunError, match="MSAU-Net, progressive") as caught:
        figure7.build(tmp_path)
    assert "fgbench train msau --variant msau-progressive" in caught.value.hint
