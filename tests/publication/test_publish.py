"""Publishing without pictures: what is written, and that nothing of it is a face or of this machine."""

import json
import os
import shutil
from pathlib import Path

import pytest

from fgbench.errors import ConfigError, DatasetError, ManifestError, ResourceError
from fgbench.publication import layout
from fgbench.publication.pixels import pixel_digest
from fgbench.publication.rebuild import rebuild
from fgbench.publication.scrubbing import Scrubber
from fgbench.storage import read_rows
from tests.support.plain_data import nothing, prepared, published, write_plain_data, write_plain_video


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows_of(folder, table):
    return [row for path in layout.parts_of(folder, table) for row in read_rows(path)]


def test_tables_have_all_but_the_pictures(plain):
    from fgbench.media.images import decode

    out, manifests = plain / "out", plain / "work" / "manifests"
    clips = sorted(rows_of(out, "clips"), key=lambda row: row["clip_id"])
    assert clips == list(read_rows(manifests / "clips.parquet"))
    known = {(row["clip_id"], row["frame_index"]): row for row in rows_of(out, "faces")}
    whole = [row for path in sorted((manifests / "faces").iterdir()) for row in read_rows(path)]
    assert len(whole) == len(known) == 9 * 6
    for row in whole:
        image = decode(row.pop("image")["bytes"])
        assert known[row["clip_id"], row["frame_index"]] == {**row, layout.PIXELS: pixel_digest(image)}
    images = {row["image_id"]: row for row in rows_of(out, "images")}
    assert any(row["parent_id"] and row["augmentation"]["scale"] for row in images.values())
    assert all(row[layout.PIXELS] and "image" not in row for row in images.values())


def test_digests_of_pixels_tell_pictures_apart():
    import numpy as np

    black = np.zeros((2, 3, 3), np.uint8)
    # python -c "import hashlib; print(hashlib.sha256(b'2x3x3\n' + bytes(18)).hexdigest())"
    assert pixel_digest(black) == "83f4458ef16426f63db3d3c8c290aae9ae17e8a260fb9bdede5da3f27c3b6daa"
    assert pixel_digest(black) != pixel_digest(black.reshape(3, 2, 3))
    assert pixel_digest(black) != pixel_digest(black + 1)


def test_files_tell_digest_and_size(plain):
    import hashlib

    described = {row["path"]: row for row in read_rows(plain / "out" / "files.parquet")}
    videos = sorted((plain / "clips" / "videos").rglob("*.mp4"))
    assert set(described) == {path.relative_to(plain / "clips").as_posix() for path in videos}
    for path in videos:
        row = described[path.relative_to(plain / "clips").as_posix()]
        assert row["bytes"] == path.stat().st_size
        assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_index_tells_recipe_versions_and_digests_of_the_tables(plain):
    index = json.loads((plain / "out" / "published.json").read_text())
    work = json.loads((plain / "work" / "manifests" / "index.json").read_text())
    assert index["recipe"] == work["origin"]["recipe"]
    assert index["provenance"] == work["provenance"]
    assert index["manifests"]["clips.parquet"]["sha256"] == work["files"]["clips.parquet"]["sha256"]
    assert set(contents(plain / "out")) == {*index["files"], "published.json"}


MAGICS = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"ftyp")


@pytest.mark.slow
def test_nothing_of_it_is_a_picture_or_of_this_machine(tmp_path, monkeypatch):
    home = tmp_path / "home" / "annabel_smith"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    root = write_plain_data(home / "my clips", 4)
    with (root / "annotations.csv").open("a") as file:
        file.write(f"{home}/elsewhere/secret.mp4,wrath,0,p1\n../up.mp4,wrath,0,p1\n")
        file.write("/mnt/disk77/inner/x.mp4,wrath,0,p1\n")
    (root / "videos" / "bad.mp4").write_bytes(b"no video at all")
    with (root / "annotations.csv").open("a") as file:
        file.write("bad.mp4,wrath,0,p1\n")
    work = prepared(root, home / "work", max_reject_rate=1.0)
    reasons = {row["id"]: row["reason"] for row in read_rows(work / "manifests" / "rejects.parquet")}
    assert sorted(reasons.values()) == [*["path_outside_root"] * 3, "unreadable"]
    published(work, tmp_path / "out")
    actual = contents(tmp_path / "out")
    assert len(actual) > 8
    for name, data in actual.items():
        assert not [magic for magic in MAGICS if magic in data], name
        text = _as_text(tmp_path / "out" / name)
        for position in (str(tmp_path), "annabel", "my clips/", str(Path.cwd()), "disk77"):
            assert position not in text, (name, position)
    proof = rebuild(tmp_path / "out", root, tmp_path / "again", jobs=1, progress=nothing)
    assert proof.is_same, "what leads out of the data set is rejected again"


def _as_text(path):
    """All texts of a file; Parquet is compressed, so that its rows are looked through."""
    if path.suffix != ".parquet":
        return path.read_text()
    import pyarrow.parquet as pq

    return repr(pq.read_table(path).to_pylist()) + repr(pq.read_schema(path).metadata)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot read /data/anna/clips/a.mp4: damaged", "cannot read DATA/a.mp4: damaged"),
        ("'/data/anna/clips' is locked", "'DATA' is locked"),
        ("/data/anna/clips2/b.mp4", ".../b.mp4"),
        ("see (/opt/lib/x/y.so)", "see (.../y.so)"),
        ("data/anna/clips/a", "DATA/a"),
        ("videos/a/b.mp4 and/or 1/2 a / b", "videos/a/b.mp4 and/or 1/2 a / b"),
        ("https://example.org/a/b", "https://example.org/a/b"),
    ],
)
def test_whole_paths_are_taken_out_of_texts(text, expected):
    assert Scrubber({Path("/data/anna/clips"): "DATA"}).text(text) == expected


def test_a_second_time_gives_the_same_bytes_and_leaves_the_users_files_alone(plain, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    (out / "LICENSE").write_text("mine")
    (out / "clips" / "notes.txt").write_text("mine too")
    before = contents(out)
    published(plain / "work", out)
    assert contents(out) == before


@pytest.mark.slow
def test_what_is_no_longer_part_of_it_is_deleted(plain, tmp_path):
    root, work, out = tmp_path / "clips", tmp_path / "work", tmp_path / "out"
    shutil.copytree(plain / "clips", root)
    published(prepared(root, work), out)
    assert (out / "action_units.parquet").is_file()
    (root / "action_units.csv").unlink()
    published(prepared(root, work), out)
    assert not (out / "action_units.parquet").exists()
    layout.read_published(out)


@pytest.mark.slow
def test_an_interrupted_publication_is_taken_up_again(plain, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patched:
        patched.setattr("fgbench.publication.publish.data_card", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            published(plain / "work", out)
    assert not (out / "published.json").exists()
    with pytest.raises(ManifestError, match="is no publication"):
        layout.read_published(out)
    published(plain / "work", out)
    assert contents(out) == contents(plain / "out")


def test_folders_of_others_are_not_touched(plain, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("all of it")
    with pytest.raises(ConfigError, match=r"is no publication of fgbench, and not empty"):
        published(plain / "work", out)
    assert contents(out) == {"thesis.txt": b"all of it"}


def test_a_publication_of_another_data_set_is_not_replaced(plain, tmp_path):
    root = write_plain_data(tmp_path / "others", 3)
    work = prepared(root, tmp_path / "work")
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    before = contents(out)
    with pytest.raises(ConfigError, match="publication of 'clips', not of 'others'"):
        published(work, out)
    assert contents(out) == before


def test_a_damaged_index_of_an_earlier_one_deletes_nothing(plain, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    index = out / "published.json"
    index.write_text(index.read_text().replace("README.md", "../../secret"))
    with pytest.raises(ConfigError, match=r"may not be replaced: .*damaged"):
        published(plain / "work", out)


def test_links_are_not_followed(plain, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResourceError, match="is a link, expected a folder"):
        published(plain / "work", link)
    out = tmp_path / "out"
    shutil.copytree(plain / "out", out)
    shutil.rmtree(out / "faces")
    (out / "faces").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResourceError, match=r"faces is a link, expected a folder"):
        published(plain / "work", out)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    (out / "faces").unlink()
    (tmp_path / "kept.md").write_text("kept")
    (out / "README.md").unlink()
    (out / "README.md").symlink_to(tmp_path / "kept.md")
    published(plain / "work", out)
    assert (tmp_path / "kept.md").read_text() == "kept"
    assert not (out / "README.md").is_symlink()


@pytest.mark.slow
def test_changed_missing_and_unfinished_data_are_refused(plain, tmp_path):
    root, work, out = tmp_path / "clips", tmp_path / "work", tmp_path / "out"
    shutil.copytree(plain / "clips", root)
    prepared(root, work)
    clip = root / "videos" / "film0" / "c0.mp4"
    state = clip.stat()
    data = bytearray(clip.read_bytes())
    data[-20] ^= 1
    clip.write_bytes(data)
    os.utime(clip, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(ManifestError, match=r"c0.mp4 is not the file that the manifests were made of"):
        published(work, out)
    write_plain_video(clip, 30)
    with pytest.raises(ManifestError, match="is not finished, or its data set has changed"):
        published(work, out)
    shutil.rmtree(root)
    with pytest.raises(DatasetError, match="no folder"):
        published(work, out)
    assert not out.exists()


def test_damaged_manifests_are_refused(plain, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(plain / "work", work)
    table = next((work / "manifests" / "faces").iterdir())
    data = bytearray(table.read_bytes())
    data[100] ^= 1
    table.unlink()
    table.write_bytes(data)
    with pytest.raises(ManifestError, match="is not what its index says"):
        published(work, tmp_path / "out")


@pytest.mark.slow
def test_datasets_loads_every_table(plain, monkeypatch, tmp_path):
    datasets = pytest.importorskip("datasets")
    index = layout.read_published(plain / "out")
    configs = datasets.get_dataset_config_names(str(plain / "out"))
    assert configs[:3] == ["clips", "faces", "images"]
    assert {"entries", "files", "action_units"} < set(configs)
    for name in configs:
        dataset = datasets.load_dataset(str(plain / "out"), name, cache_dir=str(tmp_path / "cache"))
        n_rows = sum(len(part) for part in dataset.values())
        files = {f"{name}.parquet", *(f"{name}/{part}.parquet" for part in ("train", "val", "test"))}
        assert n_rows == sum(index.files[file].rows for file in files & index.files.keys()), name


@pytest.mark.slow
def test_a_part_without_clips_breaks_nothing(tmp_path):
    datasets = pytest.importorskip("datasets")
    root = write_plain_data(tmp_path / "clips", 4)
    work = prepared(root, tmp_path / "work", split={"train": 1, "val": 0, "test": 0})
    published(work, tmp_path / "out")
    dataset = datasets.load_dataset(str(tmp_path / "out"), "clips", cache_dir=str(tmp_path / "cache"))
    assert {part: len(rows) for part, rows in dataset.items()} == {"train": 4}


@pytest.mark.slow
def test_the_card_says_that_data_are_synthetic(plain, tmp_path):
    import yaml

    work = prepared(
        plain / "clips", tmp_path / "work", dataset={"scheme": "found", "synthetic": True, "name": "a: [b"}
    )
    published(work, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    _, header, body = card.split("---\n", 2)
    reported = yaml.safe_load(header)
    assert reported["pretty_name"] == "a: [b (synthetic)"
    assert "synthetic" in reported["tags"]
    assert "**Synthetic data: drawn faces." in body
    assert "synthetic" not in (plain / "out" / "README.md").read_text()
