"""``fgbench leaderboard``: ranks of runs that compare, apart from those that do not."""

import pytest

from fgbench import storage
from fgbench.reports.comparison.leaderboard import leaderboard
from fgbench.reports.comparison.tables import comparison_tables
from fgbench.reports.experiments import NoRunError
from fgbench.runs.read_digest import read_digest
from fgbench.runs.results import read_result
from fgbench.workfolders.manifest_index import content_digest
from fgbench.workfolders.sealed_json import SEAL, write_sealed
from tests.support.compared_runs import comparison_of, rewritten
from tests.support.report_folders import samples, write_fake_run, write_manifests


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("compare")
    write_fake_run(work, "weak", method="LBP+SVM", share=0.3)
    for seed in (0, 1):
        write_fake_run(work, "strong", method="MSAU-Net (Ours)", share=0.8, seed=seed)
    write_fake_run(work, "half", method=None, share=0.5, shown=samples(2))
    return work


def test_leaderboard_ranks_by_uar(work):
    (table,) = leaderboard(work)
    assert table.title == "Leaderboard, images, fg33: mine (SYNTHETIC data)"
    assert [row[:3] for row in table.rows] == [
        [1, "strong", "MSAU-Net (Ours)"],
        [2, "half", None],
        [3, "weak", "LBP+SVM"],
    ]
    assert any("Tested on different samples (strong, weak: 132; half: 66)" in note for note in table.notes)


@pytest.mark.slow
def test_equal_runs_share_a_rank(tmp_path):
    write_fake_run(tmp_path, "weak", method="LBP+SVM", share=0.2)
    write_fake_run(tmp_path, "strong", method="AU+CNN", share=0.9)
    rewritten(tmp_path, "as-weak", lambda given: given)
    rewritten(tmp_path, "also-weak", lambda given: given)
    (table,) = [one for one in leaderboard(tmp_path) if one.name == "leaderboard-images-fg33"]
    ranks = {row[1]: row[0] for row in table.rows}
    assert ranks == {"strong": 1, "also-weak": 2, "as-weak": 2, "weak": 2}


@pytest.mark.slow
def test_leaderboard_keeps_apart_what_does_not_compare(tmp_path):
    write_fake_run(tmp_path, "weak", method="LBP+SVM", share=0.3)
    write_fake_run(tmp_path, "foreign", method="AU+CNN", details={"clips_trained_on": 3})
    clips = {clip: (clip, clip, subject, label) for _, clip, subject, label in samples()}
    write_fake_run(tmp_path, "clips", method="DenseTraj", shown=list(clips.values()))
    start = {"run": "w.safetensors", "kind": "au", "is_of_this_folder": False, "clips_trained_on": None}
    write_fake_run(tmp_path, "started", method="MSAU-Net (Ours)", share=0.1, details={"start": start})
    write_fake_run(tmp_path, "cnn", method="AU+CNN")
    (tmp_path / "runs/cnn/1/0").mkdir(parents=True)
    tables = leaderboard(tmp_path)
    assert [table.name for table in tables] == [
        "leaderboard-images-fg33",
        "leaderboard-clips-fg33",
        "leaderboard-images-fg33-elsewhere",
    ]
    assert [[row[1] for row in table.rows] for table in tables] == [
        ["weak", "started"],
        ["clips"],
        ["foreign"],
    ]
    assert "trained on other data" in tables[2].title
    assert any("so no fair test: foreign" in note for note in tables[2].notes)
    unknown = "What their weights were trained on is not at hand, so that they may know test clips: started."
    assert [unknown in table.notes for table in tables] == [True, False, False]
    gap = "cnn is left out, since runs/cnn/1/0 is missing; finish it."
    assert all(gap in table.notes for table in tables)


def test_without_runs_there_is_no_leaderboard(tmp_path):
    with pytest.raises(NoRunError, match="no finished run of expressions") as caught:
        leaderboard(tmp_path)
    assert "fgbench baseline lbp-svm" in caught.value.hint


@pytest.mark.slow
def test_other_features_are_no_other_version_of_the_manifests(tmp_path):
    """A run on local binary patterns and one on faces alone have other digests of the same manifests."""
    write_manifests(tmp_path, samples())
    index = storage.read_json(tmp_path / "manifests/index.json")
    index["files"]["features/lbp/00000.parquet"] = {"sha256": "1" * 64}
    storage.write_json(tmp_path / "manifests/index.json", index)
    message = "Old data (lbp): "
    for digests, is_told in (
        ((content_digest(index), content_digest(index, {"lbp"})), False),
        ((read_digest(tmp_path, index), read_digest(tmp_path, index, {"lbp"})), False),
        ((content_digest(index), "2" * 64), True),
    ):
        for name, digest in zip(("faces", "lbp"), digests, strict=True):
            folder = write_fake_run(tmp_path, name, method=None)
            result = {key: value for key, value in read_result(folder).items() if key != SEAL}
            write_sealed(folder / "result.json", result | {"manifest_digest": digest})
        notes = comparison_tables(comparison_of(tmp_path, "faces", "lbp"))[0].notes
        assert any(note.startswith(message) for note in notes) == is_told
