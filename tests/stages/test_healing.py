"""Damage in a work folder is found, told, and made anew to the same bytes; nothing else is touched."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from fgbench import storage
from fgbench.config import PrepareConfig
from fgbench.errors import ManifestError, ResourceError
from fgbench.preparation import prepare
from fgbench.preparation.soundness import faults
from fgbench.preparation.stages import publish
from fgbench.storage import read_rows
from fgbench.workfolders.manifest_index import read_index
from fgbench.workfolders.sealed_json import read_sealed, write_sealed
from fgbench.workfolders.verification import NOTES
from tests.support.clip_folders import add_clip, contents, write_folder
from tests.support.damage import flip_bit, rot, shapes

KINDS = {
    "results of consensus": "stages/consensus/*.rows.parquet",
    "results of ingest": "stages/ingest/*.rows.parquet",
    "results of faces": "stages/faces/*.rows.parquet",
    "rejects": "stages/*/*.rejects.parquet",
    "markers": "stages/*/*.json",
    "plans": "plans/*.json",
    "faces": "manifests/faces/*.parquet",
    "images": "manifests/images/*.parquet",
    "features": "manifests/features/lbp/*.parquet",
    "clips": "manifests/clips.parquet",
    "data card": "manifests/README.md",
    "index": "manifests/index.json",
}
TOTALS = {"balance": "total", "train": 60, "val": 0, "test": 0}


def recipe(**sections):
    sections = {"faces": {"align": "never", "chip_size": 48}, "augment": TOTALS, **sections}
    return PrepareConfig.model_validate({"name": "test", "buckets": 4, **sections})


def written(work):
    """All files but the notes of their states, which no two folders have alike."""
    return {name: data for name, data in contents(work).items() if name != NOTES}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """A data set of eight clips and its work folder."""
    here = tmp_path_factory.mktemp("clean")
    write_folder(here / "in", 8, n_frames=4)
    prepare.run(recipe(), here / "in", here / "work")
    return here


@pytest.fixture
def work(clean, tmp_path):
    """A copy of it that can be damaged; its manifests are links to its results, as those of a fresh one."""
    copied = tmp_path / "work"
    shutil.copytree(clean / "work", copied)
    shutil.rmtree(copied / "manifests")
    prepare.run(recipe(), clean / "in", copied)
    assert written(copied) == written(clean / "work")
    return copied


def some(work, pattern, rng) -> Path:
    paths = sorted(work.glob(pattern))
    return paths[int(rng.integers(len(paths)))]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_found_and_made_anew_by_prepare(clean, work, kind):
    rng = np.random.default_rng(sorted(KINDS).index(kind))
    expected = written(work)
    for _ in range(3):
        path = some(work, KINDS[kind], rng)
        flip_bit(path, rng)
        assert faults(work)
        report = prepare.run(recipe(), clean / "in", work)
        assert any(path.stem.split(".")[0] in line or path.name in line for line in report.damage)
        assert written(work) == expected
        assert faults(work, deep=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_disk_does_is_found_by_a_deep_check_and_made_anew(clean, work, kind):
    rng = np.random.default_rng(100 + sorted(KINDS).index(kind))
    expected = written(work)
    rot(work, some(work, KINDS[kind], rng), rng)
    actual = faults(work, deep=True)
    assert actual
    if KINDS[kind].startswith("manifests"):
        assert faults(work)
    assert prepare.run(recipe(), clean / "in", work, recheck=True).damage
    assert written(work) == expected
    assert faults(work, deep=True) == []


@pytest.mark.slow
def test_every_damaged_file_of_the_manifests_is_made_anew(clean, work):
    rng = np.random.default_rng(5)
    expected = written(work)
    names = sorted(name for name in expected if name.startswith("manifests/"))
    assert len(names) > 15
    for name in names:
        flip_bit(work / name, rng)
    assert any(fault.startswith("manifests/index.json") for fault in faults(work))
    prepare.run(recipe(), clean / "in", work)
    assert written(work) == expected
    for name in names:
        rot(work, work / name, rng)
    assert prepare.run(recipe(), clean / "in", work, force=True).damage
    assert written(work) == expected


@pytest.mark.slow
def test_what_is_read_is_hashed_although_nothing_tells_of_a_change(clean, work, tmp_path):
    root = tmp_path / "in"
    shutil.copytree(clean / "in", root)
    add_clip(root, "extra", "worry", n_frames=4, key_frame=2)
    rng = np.random.default_rng(3)
    for stage in ("consensus", "ingest", "split", "faces"):
        for path in sorted((work / "stages" / stage).glob("*.rows.parquet")):
            rot(work, path, rng)
    report = prepare.run(recipe(), root, work)
    assert {line.split("/")[1] for line in report.damage if line.startswith("stages")} == {
        "consensus",
        "ingest",
        "split",
        "faces",
    }
    prepare.run(recipe(), root, tmp_path / "fresh")
    assert contents(work / "manifests") == contents(tmp_path / "fresh" / "manifests")


@pytest.mark.slow
def test_inputs_of_workers_are_hashed_too(clean, work, tmp_path):
    rng = np.random.default_rng(4)
    for path in sorted((work / "stages" / "faces").glob("*.rows.parquet")):
        rot(work, path, rng)
    changed = recipe(augment={"balance": "copies", "copies": 1})
    assert prepare.run(changed, clean / "in", work, jobs=2).damage
    prepare.run(changed, clean / "in", tmp_path / "fresh")
    assert contents(work / "manifests") == contents(tmp_path / "fresh" / "manifests")


@pytest.mark.slow
@pytest.mark.parametrize("shape", shapes())
def test_json_of_another_shape_counts_as_absent(clean, work, shape):
    expected = written(work)
    damaged = [
        *(sorted((work / "stages" / stage).glob("*.json"))[0] for stage in ("ingest", "faces", "augment")),
        *sorted((work / "plans").glob("*.json")),
        work / "manifests" / "index.json",
    ]
    for path in damaged:
        path.write_text(shapes()[shape])
    with pytest.raises(ManifestError, match="index"):
        read_index(work)
    assert prepare.preview(recipe(), clean / "in", work).waiting > 0
    assert len(faults(work)) == 1  # without an index, nothing is known of the rest
    report = prepare.run(recipe(), clean / "in", work)
    assert len(report.damage) == len(damaged)
    assert written(work) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "plan"),
    [("consensus", 1), ("split", {"clip0": "dev"}), ("augment", {"train/anger": [10**9]})],
)
def test_plans_of_another_shape_count_as_absent_though_they_bear_their_digest(clean, work, stage, plan):
    expected = written(work)
    (path,) = (work / "plans").glob(f"{stage}-*.json")
    write_sealed(path, {"plans": dict.fromkeys(read_sealed(path)["plans"], plan)})
    assert any("no plan of its stage" in fault for fault in faults(work))
    for marker in (work / "stages" / stage).glob("*.json"):
        marker.unlink()
    report = prepare.run(recipe(), clean / "in", work)
    assert [path.name in line for line in report.damage] == [True]
    assert written(work) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [{"counts": {"train": {"clips": 1}}}, {"counts": {"train": []}}, {"files": None}],
    ids=["no images", "no counts", "no files"],
)
def test_an_index_of_another_shape_is_none_though_it_bears_its_digest(clean, work, change):
    expected = written(work)
    path = work / "manifests" / "index.json"
    changed = {**read_sealed(path), **change}
    write_sealed(path, {key: value for key, value in changed.items() if value is not None})
    with pytest.raises(ManifestError, match="no index of manifests"):
        read_index(work)
    assert prepare.run(recipe(), clean / "in", work).published
    assert written(work) == expected


@pytest.mark.slow
def test_folders_in_the_place_of_json_are_replaced_where_they_are_empty(clean, work):
    expected = written(work)
    paths = [
        sorted((work / "stages" / "ingest").glob("*.json"))[0],
        *sorted((work / "plans").glob("*.json")),
        work / "manifests" / "index.json",
    ]
    for path in paths:
        path.unlink()
        path.mkdir()
    prepare.run(recipe(), clean / "in", work)
    assert written(work) == expected
    paths[0].unlink()
    paths[0].mkdir()
    (paths[0] / "mine.txt").write_text("mine")
    with pytest.raises(ResourceError, match="is a folder with files"):
        prepare.run(recipe(), clean / "in", work)
    assert (paths[0] / "mine.txt").read_text() == "mine"


TABLES = [
    "stages/ingest/*.rows.parquet",
    "stages/*/*.rejects.parquet",
    "manifests/rejects.parquet",
    "manifests/README.md",
    "manifests/images/*.parquet",
    "manifests/features/lbp/*.parquet",
]


@pytest.mark.slow
def test_empty_folders_in_the_place_of_tables_are_replaced(clean, work):
    expected = written(work)
    for pattern in TABLES:
        path = sorted(work.glob(pattern))[0]
        path.unlink()
        path.mkdir()
    prepare.run(recipe(), clean / "in", work)
    assert written(work) == expected
    assert faults(work, deep=True) == []


@pytest.mark.parametrize(
    "pattern", [TABLES[0], *(pytest.param(one, marks=pytest.mark.slow) for one in TABLES[1:])]
)
def test_folders_with_files_in_the_place_of_tables_stay_and_the_index_too(clean, work, pattern):
    expected = written(work)
    path = sorted(work.glob(pattern))[0]
    data = path.read_bytes()
    path.unlink()
    path.mkdir()
    (path / "mine.txt").write_text("mine")
    with pytest.raises(ResourceError, match=r"folder with files|cannot write .*: Is a directory"):
        prepare.run(recipe(), clean / "in", work)
    assert [mine.name for mine in path.iterdir()] == ["mine.txt"]
    assert (work / "manifests" / "index.json").read_bytes() == expected["manifests/index.json"]
    shutil.rmtree(path)
    path.write_bytes(data)
    assert faults(work, deep=True) == []


def test_a_file_in_the_place_of_a_folder_of_manifests_leaves_the_index(clean, work):
    shutil.rmtree(work / "manifests" / "images")
    (work / "manifests" / "images").write_text("mine")
    index = (work / "manifests" / "index.json").read_bytes()
    with pytest.raises(ResourceError, match="is a file, expected a folder"):
        prepare.run(recipe(), clean / "in", work)
    assert (work / "manifests" / "images").read_text() == "mine"
    assert (work / "manifests" / "index.json").read_bytes() == index


@pytest.mark.slow
def test_a_marker_of_another_bucket_is_none(clean, work):
    expected = written(work)
    first, second = sorted((work / "stages" / "faces").glob("*.json"))[:2]
    first.write_bytes(second.read_bytes())
    assert any("another bucket" in fault for fault in faults(work))
    prepare.run(recipe(), clean / "in", work)
    assert written(work) == expected


@pytest.mark.slow
def test_losing_the_notes_costs_nothing_but_time(clean, work):
    expected = written(work)
    for content in (None, "{}", "[1", '{"manifests/clips.parquet": [1, 2, 3, 4, "x"]}'):
        (work / NOTES).unlink()
        if content is not None:
            (work / NOTES).write_text(content)
        report = prepare.run(recipe(), clean / "in", work)
        assert (report.done, report.published, report.damage) == (0, False, ())
        assert written(work) == expected
        assert (work / NOTES).is_file()


@pytest.mark.slow
def test_foreign_files_below_the_manifests_stay_and_are_named(clean, work):
    mine = [work / "manifests" / "thesis.txt", work / "manifests" / "images" / "mine.parquet"]
    for path in mine:
        path.write_text("mine")
    prepare.run(recipe(augment={"copies": 2}), clean / "in", work)
    prepare.run(recipe(), clean / "in", work, force=True)
    assert [path.read_text() for path in mine] == ["mine", "mine"]
    assert faults(work) == [
        "manifests/images/mine.parquet: not in the index",
        "manifests/thesis.txt: not in the index",
    ]


@pytest.mark.slow
def test_a_foreign_file_of_a_name_of_ours_is_neither_deleted_nor_replaced(clean, work):
    mine = work / "manifests" / "folds.csv"
    mine.write_text("mine")
    prepare.run(recipe(), clean / "in", work, force=True)
    assert mine.read_text() == "mine", "this data set has no folds, so nothing is written there"
    other = work / "manifests" / "features" / "optical_flow" / "00000.parquet"
    other.parent.mkdir(parents=True)
    other.write_text("mine")
    before = (work / "manifests" / "index.json").read_bytes()
    with pytest.raises(ResourceError, match=r"optical_flow/00000\.parquet would be replaced, and fgbench"):
        prepare.run(recipe(optical_flow={"enabled": True}), clean / "in", work)
    assert (mine.read_text(), other.read_text()) == ("mine", "mine")
    assert (work / "manifests" / "index.json").read_bytes() == before


@pytest.mark.slow
def test_files_that_an_earlier_index_lists_go_even_if_a_run_was_killed(clean, work, monkeypatch):
    expected = written(work)
    other = recipe(optical_flow={"enabled": True, "size_px": 32}, split={"train": 1, "val": 0, "test": 0})

    def killed(*about, **named):
        raise KeyboardInterrupt

    (work / "manifests" / "mine.txt").write_text("mine")
    with monkeypatch.context() as patched:
        patched.setattr(publish, "data_card", killed)
        with pytest.raises(KeyboardInterrupt):
            prepare.run(other, clean / "in", work)
    assert not (work / "manifests" / "index.json").exists()
    assert list((work / "manifests" / "features" / "optical_flow").iterdir())
    prepare.run(recipe(), clean / "in", work)
    assert (work / "manifests" / "mine.txt").read_text() == "mine"
    (work / "manifests" / "mine.txt").unlink()
    published = {name: data for name, data in expected.items() if name.startswith("manifests/")}
    assert {f"manifests/{name}": data for name, data in contents(work / "manifests").items()} == published


def test_nothing_is_written_or_deleted_behind_a_link(clean, work, tmp_path):
    target = tmp_path / "elsewhere"
    shutil.move(work / "manifests" / "images", target)
    (work / "manifests" / "images").symlink_to(target)
    before = contents(target)
    with pytest.raises(ResourceError, match=r"is a link.*, expected a folder"):
        prepare.run(recipe(augment={"copies": 2}), clean / "in", work)
    assert contents(target) == before


@pytest.mark.slow
def test_a_name_that_leads_out_makes_no_index(clean, work, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    index = read_index(work)
    index["files"]["../../outside.txt"] = index["files"]["clips.parquet"]
    storage.write_json(work / "manifests" / "index.json", index)
    with pytest.raises(ManifestError, match="below the manifests"):
        read_index(work)
    prepare.run(recipe(), clean / "in", work)
    assert outside.read_text() == "mine"
    assert faults(work) == []


@pytest.mark.slow
def test_parts_without_images_have_tables_without_rows(clean, tmp_path):
    work = tmp_path / "work"
    prepare.run(recipe(split={"train": 1, "val": 0, "test": 0}), clean / "in", work)
    assert read_index(work)["files"]["images/val-00000.parquet"]["rows"] == 0
    assert list(read_rows(work / "manifests" / "images" / "test-00000.parquet")) == []
    assert faults(work, deep=True) == []
