"""Manifests open in pandas, DuckDB and Hugging Face's datasets, which show the pictures."""

import pytest

from fgbench.config import PrepareConfig
from fgbench.preparation import prepare
from fgbench.workfolders.manifest_index import read_index
from tests.support.clip_folders import write_folder
from tests.support.doc_blocks import block


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    here = tmp_path_factory.mktemp("readers")
    root = write_folder(here / "in", 12)
    recipe = {"name": "readers", "buckets": 5, "faces": {"align": "never", "chip_size": 96}}
    prepare.run(PrepareConfig.model_validate(recipe), root, here / "work")
    return here / "work" / "manifests"


@pytest.mark.slow
def test_pandas(manifests):
    import pandas as pd

    clips = pd.read_parquet(manifests / "clips.parquet")
    assert len(clips) == 12
    assert clips.set_index("clip_id").loc["c003", "label"] == "frustration"
    assert len(pd.read_parquet(manifests / "faces")) == 12 * 8
    images = pd.read_parquet(manifests / "images")
    assert images.loc[images.parent_id.isna()].groupby("clip_id").size().eq(7).all()


@pytest.mark.slow
def test_duckdb(manifests):
    import duckdb

    pattern = str(manifests / "images" / "*.parquet")
    query = """
        SELECT count(*), count(DISTINCT clip_id), min(octet_length(image.bytes))
        FROM read_parquet(?) WHERE parent_id IS NULL
    """
    n_images, n_clips, smallest = duckdb.execute(query, [pattern]).fetchone()
    assert (n_images, n_clips) == (84, 12)
    assert smallest > 500
    label, share = duckdb.execute(
        "SELECT label, landmarks[1] FROM read_parquet(?) JOIN read_parquet(?) USING (clip_id) LIMIT 1",
        [str(manifests / "faces" / "*.parquet"), str(manifests / "clips.parquet")],
    ).fetchone()
    assert label
    assert share is None  # whole frames have no landmarks


@pytest.mark.slow
def test_datasets(manifests, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import Image, load_dataset

    counts = read_index(manifests.parent)["counts"]
    actual = {part for part in counts if counts[part]["images"]}
    assert len(actual) > 1
    loaded = load_dataset(
        "parquet",
        data_files={part: str(manifests / "images" / f"{part}-*.parquet") for part in actual},
        cache_dir=str(tmp_path),
    )
    assert set(loaded) == actual
    for part in actual:
        assert isinstance(loaded[part].features["image"], Image)
        assert loaded[part][0]["image"].size == (96, 96)
        assert loaded[part][0]["split"] == part
    faces = load_dataset(
        "parquet", data_files=str(manifests / "faces" / "*.parquet"), cache_dir=str(tmp_path), split="train"
    )
    assert faces[0]["image"].size == (96, 96)


@pytest.fixture(scope="module")
def without_val(tmp_path_factory):
    """A work folder whose part val is empty."""
    here = tmp_path_factory.mktemp("empty")
    root = write_folder(here / "in", 6, n_frames=4)
    recipe = {
        "name": "empty",
        "buckets": 3,
        "faces": {"align": "never", "chip_size": 96},
        "split": {"train": 4, "val": 0, "test": 2, "assign": "exact"},
        "optical_flow": {"enabled": True, "size_px": 32},
    }
    prepare.run(PrepareConfig.model_validate(recipe), root, here / "work")
    return here / "work"


@pytest.mark.slow
def test_datasets_where_a_part_is_empty(without_val, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(without_val)
    from datasets import Image, load_dataset

    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    actual = {}
    exec(block("docs/tables.md", "import pandas"), actual)
    rows = read_index(without_val)["counts"]
    assert {part: len(images) for part, images in actual["images"].items()} == {
        part: rows[part]["augmented"] for part in ("train", "test")
    }
    parts = {part: f"manifests/images/{part}-*.parquet" for part in ("train", "val", "test")}
    streamed = load_dataset("parquet", data_files=parts, streaming=True)
    assert list(streamed["val"]) == []
    assert isinstance(streamed["val"].features["image"], Image)


@pytest.mark.slow
def test_pandas_and_duckdb_where_a_part_is_empty(without_val):
    import duckdb
    import pandas as pd

    manifests = without_val / "manifests"
    assert len(pd.read_parquet(manifests / "images" / "val-00000.parquet")) == 0
    assert set(pd.read_parquet(manifests / "images")["split"]) == {"train", "test"}
    query = "SELECT split, count(*) FROM read_parquet(?) GROUP BY ALL ORDER BY ALL"
    actual = duckdb.execute(query, [str(manifests / "images" / "*.parquet")]).fetchall()
    assert [part for part, _ in actual] == ["test", "train"]
    assert duckdb.execute(query, [str(manifests / "images" / "val-*.parquet")]).fetchall() == []


@pytest.mark.slow
def test_readers_of_fgbench_where_a_part_is_empty(without_val):
    from fgbench.audit.leaks import audit_parts
    from fgbench.inputs.manifest_pictures import find_images, flow_pairs, image_ids
    from fgbench.reports.paper.counts import count_manifests
    from fgbench.runs.frames import usable_frames
    from fgbench.runs.samples import image_samples
    from fgbench.workfolders.manifest_index import content_digest

    manifests = without_val / "manifests"
    samples = image_samples(manifests)
    assert {sample.part for sample in samples} == {"train", "test"}
    ids = sorted(image_ids(manifests))
    assert len(find_images(manifests, ids)) == len(ids)
    assert usable_frames(manifests)
    assert flow_pairs(manifests)
    assert count_manifests(without_val).counts
    assert not audit_parts(without_val).unreadable
    assert content_digest(read_index(without_val))
