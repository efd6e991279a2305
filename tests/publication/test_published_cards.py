"""Cards of data sets, as ``datasets`` and Croissant's own library read them, without network."""

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml

from fgbench import storage
from fgbench.publication import layout
from fgbench.publication.layout import read_published
from tests.support.plain_data import prepared, published, write_plain_data

pytestmark = pytest.mark.slow

LOAD = """
import json, sys
from datasets import get_dataset_config_names, load_dataset
folder = sys.argv[1]
found = {}
for name in get_dataset_config_names(folder):
    parts = load_dataset(folder, name)
    found[name] = {part: [len(rows), rows.column_names] for part, rows in parts.items()}
json.dump(found, sys.stdout)
"""


def loaded(folder, cache):
    """Rows and columns of every part of every config of a folder, as ``datasets`` loads them offline."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **offline},
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def expected(folder, names):
    return {
        name: [(file := pq.ParquetFile(folder / name)).metadata.num_rows, file.schema_arrow.names]
        for name in names
    }


@pytest.fixture(scope="module")
def without_val(tmp_path_factory):
    """A data set whose recipe makes no part ``val``, prepared and published."""
    here = tmp_path_factory.mktemp("bare")
    write_plain_data(here / "clips")
    prepared(here / "clips", here / "work", split={"val": 0.0})
    published(here / "work", here / "out")
    return here


def test_every_table_of_a_publication_is_a_config(plain, tmp_path):
    out, found = plain / "out", loaded(plain / "out", tmp_path)
    tables = {name for name, file in read_published(out).files.items() if file.rows}
    assert set(found) == {name.partition("/")[0].removesuffix(".parquet") for name in tables}
    for name, told in expected(out, tables).items():
        table, _, part = name.removesuffix(".parquet").partition("/")
        assert found[table][part or "full"] == told


def test_every_table_of_a_work_folder_is_a_config(plain, tmp_path):
    folder = plain / "work" / "manifests"
    found = loaded(folder, tmp_path)
    assert set(found) == {"clips", "faces", "images", "lbp"}
    clips = storage.read_table(folder / "clips.parquet")
    assert found["clips"]["full"] == [clips.num_rows, clips.column_names]
    faces = list(folder.glob("faces/*.parquet"))
    assert found["faces"]["full"][0] == sum(pq.ParquetFile(path).metadata.num_rows for path in faces)
    assert "image" in found["faces"]["full"][1]
    counts = json.loads((folder / "index.json").read_text())["counts"]
    assert {part: rows for part, (rows, _) in found["images"].items()} == {
        part: count["augmented"] for part, count in counts.items() if count["augmented"]
    }


def test_a_part_without_samples_breaks_nothing(without_val, tmp_path):
    for folder in (without_val / "out", without_val / "work" / "manifests"):
        found = loaded(folder, tmp_path)
        assert set(found["images"]) == {"train", "test"}
        assert found["faces"]
    header = yaml.safe_load((without_val / "out" / "README.md").read_text().split("---\n")[1])
    (default,) = [config["config_name"] for config in header["configs"] if config.get("default")]
    assert default == "clips"


def test_croissant_is_valid_and_its_records_are_the_tables(plain):
    mlcroissant = pytest.importorskip("mlcroissant")
    out = plain / "out"
    dataset = mlcroissant.Dataset(jsonld=str(out / layout.CROISSANT))
    assert dataset.metadata.ctx.issues.errors == set()
    index = read_published(out)
    tables = {name for name, file in index.files.items() if file.rows}
    assert {one.uuid for one in dataset.metadata.record_sets} == {
        name.removesuffix(".parquet") for name in tables
    }
    listed = {one.uuid: one.sha256 for one in dataset.metadata.distribution}
    own = {name: file.sha256 for name, file in index.files.items() if name != layout.CROISSANT}
    assert listed == own
    for name in sorted(tables):
        records = list(dataset.records(name.removesuffix(".parquet")))
        table = storage.read_table(out / name)
        assert len(records) == table.num_rows
        first, record = table.slice(0, 1).to_pylist()[0], records[0]
        key = next(column for column in ("clip_id", "path", "id") if column in first)
        assert record[f"{name.removesuffix('.parquet')}/{key}"] == first[key].encode()


def test_responsible_fields_tell_what_is_known_and_what_is_not(plain):
    document = json.loads((plain / "out" / layout.CROISSANT).read_text())
    assert document["rai:annotationsPerItem"] == "unknown"
    assert document["license"] == "unknown"
    assert "4 persons named in 9 of 9 clips, the most frequent in 3" in document["rai:dataBiases"]
    assert "Clips per class: gloom 3, thrill 3, wrath 3" in [
        ", ".join(sorted(line.removeprefix("Clips per class: ").split(", "))).join(["Clips per class: ", ""])
        if line.startswith("Clips per class")
        else line
        for line in document["rai:dataBiases"]
    ]
    assert document["rai:dataPreprocessingProtocol"] == ["Pictures taken as they are, faces are not searched"]
    assert any("no picture of them" in line for line in document["rai:personalSensitiveInformation"])
    whole = (plain / "out" / layout.CROISSANT).read_text()
    assert str(plain) not in whole
