"""What recipes take from data sets."""

import os
import shutil
import unicodedata

import pytest

from fgbench.catalogue import listing
from fgbench.catalogue.data_roots import remembered_root
from fgbench.catalogue.pseudonyms import Naming
from fgbench.config import DatasetConfig, load_prepare
from fgbench.errors import ConfigError, DatasetError
from fgbench.files.temporaries import temporary_name
from fgbench.records import ClipEntry
from fgbench.storage import exclusive
from fgbench.taxonomy import ontology
from tests.support.fake_trees import write_picture, write_text


def folder_config(**keys):
    return DatasetConfig(**{"adapter": "folder", "name": "mine", "scheme": "free", **keys})


def test_a_smaller_label_set_leaves_out_and_counts(tmp_path, monkeypatch):
    class Adapter:
        CARD = listing.card_of(load_prepare("ck-plus").dataset)

        @staticmethod
        def list_clips(root):
            labels = ["Angry", "neutral", "contempt", "contempt", "unheard of"]
            return [ClipEntry(clip_id=str(n), path=str(n), label=label) for n, label in enumerate(labels)]

    monkeypatch.setattr(listing.plugins, "load", lambda kind, name: Adapter)
    entries = listing.list_data(DatasetConfig(adapter="x", scheme="ekman6"), tmp_path)
    assert [entry.label for entry in entries.entries] == ["Angry", "unheard of"], "ingest rejects the last"
    assert entries.left_out == {"contempt": 2, "neutral": 1}
    assert entries.classes == ontology("ekman6").labels


def test_an_id_that_comes_twice_is_one_entry_with_a_problem(tmp_path):
    write_picture(tmp_path / "happy" / "a.jpg.png")
    write_picture(tmp_path / "happy" / "a.jpg")
    write_picture(tmp_path / "happy" / "a.png")
    write_picture(tmp_path / "happy" / "b.png")
    actual = {entry.clip_id: entry.problem for entry in listing.list_data(folder_config(), tmp_path).entries}
    detail = "listed more than once: happy/a.jpg happy/a.jpg.png"
    assert actual == {"happy/a.jpg": ("duplicate_id", detail), "happy/a.png": None, "happy/b": None}


def test_of_a_folder_of_pictures_all_files_are_told(tmp_path):
    for name in ("1.png", "2.png", "3.png"):
        write_picture(tmp_path / "happy" / "walk" / name)
    shutil.copy(tmp_path / "happy" / "walk" / "1.png", tmp_path / "happy" / "walk" / "4")
    (tmp_path / "happy" / "walk" / "inner.mp4").write_bytes(b"x")
    (tmp_path / "happy" / "walk" / "notes.txt").write_text("x")
    assert listing.list_data(folder_config(), tmp_path).inventory.lines == [
        "warning: 1 of 4 pictures and videos is not used, e.g. happy/walk/inner.mp4",
        "3 pictures in 1 folder are the frames of 1 clip, e.g. happy/walk (3); if each is a picture by "
        "itself, the layout is another than the recipe's",
        "other files: 1 .txt, 1 without suffix",
    ]


def test_ids_of_one_form_are_one_entry_that_tells_both_names(tmp_path):
    for form in ("NFC", "NFD"):
        write_picture(tmp_path / "happy" / f"{unicodedata.normalize(form, 'é')}.png")
    write_picture(tmp_path / "happy" / "b  c.png")
    actual = {entry.clip_id: entry.problem for entry in listing.list_data(folder_config(), tmp_path).entries}
    reason, detail = actual["happy/é"]
    assert reason == "duplicate_id"
    assert r"'happy/e\u0301.png'" in detail
    assert actual["happy/b c"] is None


def test_people_in_several_spellings_are_one_and_it_is_told(tmp_path):
    write_text(tmp_path / "annotations.csv", "clip,subject,source\na,Anna,Film\nb,ANNA,film\nc,Ben,\n")
    write_text(
        tmp_path / "votes.csv",
        "clip,annotator,label\na,Eva,anger\na,eva ,anger\na,Max,wrath\nb,Eva,anger\nc,Max,anger\n",
    )
    write_text(tmp_path / "annotators.csv", "name,annotator\nEva,Eva\neva,Eva\n")
    for name in "abc":
        write_text(tmp_path / "videos" / f"{name}.mp4", "x")
    entries = listing.list_data(DatasetConfig(), tmp_path, Naming(kind="names"))
    assert {entry.clip_id: (entry.subject_id, entry.source_id) for entry in entries.entries} == {
        "a": ("ANNA", "Film"),
        "b": ("ANNA", "Film"),
        "c": ("Ben", None),
    }
    assert [vote.annotator for vote in entries.entries[0].votes] == ["Eva", "Eva", "Max"]
    assert entries.notes == (
        "annotators.csv: 2 names of 1 annotator",
        "2 spellings of one subject: 'ANNA', 'Anna'",
        "2 spellings of one source: 'Film', 'film'",
    )


def test_names_that_are_no_text_are_problems_of_their_files(tmp_path):
    write_picture(tmp_path / "happy" / "a.png")
    write_text(tmp_path / "happy" / os.fsdecode(b"caf\xe9.png"), "x")
    write_text(tmp_path / os.fsdecode(b"\xb8\xdf") / "c.png", "x")
    entries = listing.list_data(folder_config(), tmp_path)
    assert entries.classes == ("happy",)
    assert {entry.clip_id: entry.problem and entry.problem[0] for entry in entries.entries} == {
        "happy/a": None,
        "happy/caf\\xe9": "bad_name",
        "\\xb8\\xdf/c": "bad_name",
    }
    details = [entry.problem[1] for entry in entries.entries if entry.problem]
    assert all("rename it" in detail and detail.isascii() for detail in details)


def test_what_is_no_file_is_a_problem_and_the_rest_is_counted(tmp_path):
    write_picture(tmp_path / "happy" / "a.png")
    os.mkfifo(tmp_path / "happy" / "pipe.png")
    (tmp_path / "happy" / "lost.png").symlink_to("nowhere.png")
    (tmp_path / "happy" / "null.png").symlink_to("/dev/null")
    (tmp_path / "happy" / "round").symlink_to("..")
    (tmp_path / "happy" / "itself").symlink_to("itself")
    write_picture(tmp_path / "happy" / "person" / "film" / "deep.png")
    for name in ("notes.txt", "happy/more.TXT", "happy/Thumbs.db", "happy/README", "happy/.hidden"):
        write_text(tmp_path / name, "x")
    entries = listing.list_data(folder_config(), tmp_path)
    assert {entry.clip_id: entry.problem and entry.problem[0] for entry in entries.entries} == {
        "happy/a": None,
        "happy/pipe.png": "not_a_file",
        "happy/lost.png": "broken_link",
        "happy/null.png": "not_a_file",
        "happy/round": "link_loop",
        "happy/itself": "link_loop",
        "happy/person": "no_pictures",
    }
    assert entries.inventory.lines == [
        "warning: 1 of 2 pictures and videos is not used, e.g. happy/person/film/deep.png",
        "other files: 2 .txt, 1 .db, 1 hidden, 1 without suffix",
    ]


def test_our_own_locks_are_not_told(tmp_path):
    """A lock of fgbench is empty; a file of that name with something in it is the user's."""
    write_picture(tmp_path / "happy" / "a.png")
    for folder in (tmp_path, tmp_path / "annotation", tmp_path / "annotation" / "round-1"):
        with exclusive(folder):
            pass
        assert (folder / ".lock").is_file()
    write_text(temporary_name(tmp_path / "votes.csv"), "x")  # of a process that was killed
    assert listing.list_data(folder_config(), tmp_path).inventory.lines == []
    write_text(tmp_path / "happy" / ".lock", "x")
    assert listing.list_data(folder_config(), tmp_path).inventory.lines == ["other files: 1 hidden"]


def test_a_locked_folder_is_a_problem(tmp_path, monkeypatch):
    write_picture(tmp_path / "happy" / "a.png")
    write_picture(tmp_path / "sad" / "b.png")
    scandir = os.scandir

    def locked(path="."):
        if str(path).endswith("sad"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    entries = listing.list_data(folder_config(), tmp_path)
    assert {entry.clip_id: entry.problem and entry.problem[0] for entry in entries.entries} == {
        "happy/a": None,
        "sad": "unreadable",
    }


def test_folders_of_fgbench_inside_the_data_are_no_data(tmp_path):
    write_picture(tmp_path / "happy" / "a.png")
    write_picture(tmp_path / "fgbench-data" / "mine" / "work" / "b.png")
    write_text(tmp_path / "happy" / "work" / "prepare.json", "{}")
    write_text(tmp_path / "mine" / ".fgbench-work.json", "{}")
    write_picture(tmp_path / "happy" / "work" / "reports" / "c.png")
    entries = listing.list_data(folder_config(), tmp_path)
    assert entries.inventory.lines == []
    assert [entry.clip_id for entry in entries.entries] == ["happy/a"]


def test_wrong_names_are_explained(tmp_path):
    write_picture(tmp_path / "happy" / "a.png")
    with pytest.raises(ConfigError, match="unknown label set 'ekman9'"):
        listing.list_data(folder_config(scheme="ekman9"), tmp_path)
    with pytest.raises(ConfigError, match=r"has no variant 'pixels'(.|\n)*csv, folders, ferplus"):
        listing.list_data(DatasetConfig(adapter="fer2013", variant="pixels"), tmp_path)
    with pytest.raises(DatasetError, match="has no folders train/ and test/"):
        listing.list_data(load_prepare("fer2013-folders").dataset, tmp_path)


def test_recipes_are_found_by_their_adapter():
    actual = listing.recipes_by_adapter()
    assert [recipe.name for recipe in actual["raf-db"]] == ["raf-db", "raf-db-compound", "raf-db-original"]
    assert "demo" not in [recipe.name for recipe in actual["fg-emotions"]]


def test_folders_that_the_environment_names(tmp_path, monkeypatch):
    (tmp_path / "CK_Plus").mkdir()
    (tmp_path / "raf-db").mkdir()
    monkeypatch.delenv("FGBENCH_DATA", raising=False)
    assert remembered_root("ck-plus") is None
    monkeypatch.setenv("FGBENCH_DATA", str(tmp_path))
    assert remembered_root("ck-plus-6", "ck_plus") == tmp_path / "CK_Plus"
    assert remembered_root("jaffe") is None
    assert remembered_root("raf_db", base=tmp_path / "absent") is None
