"""What recipes take from data sets."""

import pytest
from fake_trees import write_picture

from fgbench.catalogue import listing
from fgbench.catalogue.places import remembered_root
from fgbench.config import DatasetConfig, load_prepare
from fgbench.errors import ConfigError, DatasetError
from fgbench.records import ClipEntry
from fgbench.taxonomy import ontology


def folder_config(**keys):
    return DatasetConfig(**{"adapter": "folder", "name": "mine", "scheme": "free", **keys})


def test_a_smaller_label_set_leaves_out_and_counts(monkeypatch):
    class Adapter:
        CARD = listing.card_of(load_prepare("ck-plus").dataset)

        @staticmethod
        def list_clips(root):
            labels = ["Angry", "neutral", "contempt", "contempt", "unheard of"]
            return [ClipEntry(clip_id=str(n), path=str(n), label=label) for n, label in enumerate(labels)]

    monkeypatch.setattr(listing.plugins, "load", lambda kind, name: Adapter)
    found = listing.list_data(DatasetConfig(adapter="x", scheme="ekman6"), "root")
    assert [entry.label for entry in found.entries] == ["Angry", "unheard of"], "ingest rejects the last"
    assert found.left_out == {"contempt": 2, "neutral": 1}
    assert found.classes == ontology("ekman6").labels


def test_an_id_that_comes_twice_is_one_entry_with_a_problem(tmp_path):
    write_picture(tmp_path / "happy" / "a.png")
    write_picture(tmp_path / "happy" / "a.jpg")
    write_picture(tmp_path / "happy" / "b.png")
    found = {entry.clip_id: entry.problem for entry in listing.list_data(folder_config(), tmp_path).entries}
    detail = "listed more than once: happy/a.jpg happy/a.png"
    assert found == {"happy/a": ("duplicate_id", detail), "happy/b": None}


def test_wrong_names_are_explained(tmp_path):
    write_picture(tmp_path / "happy" / "a.png")
    with pytest.raises(ConfigError, match="unknown label set 'ekman9'"):
        listing.list_data(folder_config(scheme="ekman9"), tmp_path)
    with pytest.raises(ConfigError, match=r"has no variant 'pixels'(.|\n)*csv, folders, ferplus"):
        listing.list_data(DatasetConfig(adapter="fer2013", variant="pixels"), tmp_path)
    with pytest.raises(DatasetError, match="has no folders train/ and test/"):
        listing.list_data(load_prepare("fer2013-folders").dataset, tmp_path)


def test_recipes_are_found_by_their_adapter():
    found = listing.recipes_by_adapter()
    assert [recipe.name for recipe in found["raf-db"]] == ["raf-db", "raf-db-compound", "raf-db-original"]
    assert "demo" not in [recipe.name for recipe in found["fg-emotions"]]


def test_folders_that_the_environment_names(tmp_path, monkeypatch):
    (tmp_path / "CK_Plus").mkdir()
    (tmp_path / "raf-db").mkdir()
    monkeypatch.delenv("FGBENCH_DATA", raising=False)
    assert remembered_root("ck-plus") is None
    monkeypatch.setenv("FGBENCH_DATA", str(tmp_path))
    assert remembered_root("ck-plus-6", "ck_plus") == tmp_path / "CK_Plus"
    assert remembered_root("jaffe") is None
    assert remembered_root("raf_db", base=tmp_path / "absent") is None
