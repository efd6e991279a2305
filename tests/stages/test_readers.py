"""Manifests open in pandas, DuckDB and Hugging Face's datasets, which show the pictures."""

import pytest
from clip_folders import write_folder

from fgbench import prepare
from fgbench.config import PrepareConfig


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    here = tmp_path_factory.mktemp("readers")
    root = write_folder(here / "in", 12)
    recipe = {"name": "readers", "buckets": 5, "faces": {"align": False, "chip_size": 96}}
    prepare.run(PrepareConfig.model_validate(recipe), root, here / "work")
    return here / "work" / "manifests"


def test_pandas(manifests):
    import pandas as pd

    clips = pd.read_parquet(manifests / "clips.parquet")
    assert len(clips) == 12
    assert clips.set_index("clip_id").loc["c003", "label"] == "frustration"
    assert len(pd.read_parquet(manifests / "faces")) == 12 * 8
    images = pd.read_parquet(manifests / "images")
    assert images.loc[images.parent_id.isna()].groupby("clip_id").size().eq(7).all()


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


def test_datasets(manifests, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import Image, load_dataset

    found = {path.name.split("-")[0] for path in (manifests / "images").iterdir()}
    loaded = load_dataset(
        "parquet",
        data_files={part: str(manifests / "images" / f"{part}-*.parquet") for part in found},
        cache_dir=str(tmp_path),
    )
    assert set(loaded) == found
    for part in found:
        assert isinstance(loaded[part].features["image"], Image)
        assert loaded[part][0]["image"].size == (96, 96)
        assert loaded[part][0]["split"] == part
    faces = load_dataset(
        "parquet", data_files=str(manifests / "faces" / "*.parquet"), cache_dir=str(tmp_path), split="train"
    )
    assert faces[0]["image"].size == (96, 96)
