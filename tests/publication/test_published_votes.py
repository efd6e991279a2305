"""Votes in publications: pseudonyms alone, the same again when rebuilt, and what differs where votes do."""

import json
import re
import shutil
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest

from fgbench.catalogue.carried_listing import CARRIED
from fgbench.catalogue.pseudonyms import SALT, ensure_salt
from fgbench.files.hashing import digest_file
from fgbench.preparation.prepare import run, saved
from fgbench.publication.difference import difference
from fgbench.publication.layout import read_published
from fgbench.publication.proof_lines import proof_lines
from fgbench.publication.rebuild import rebuild
from fgbench.storage import read_rows, write_table
from fgbench.workfolders.manifest_index import read_index
from fgbench.workfolders.sealed_json import read_sealed, write_sealed
from tests.support.plain_data import nothing, published
from tests.support.voted_clips import VOTES, recipe, write

pytestmark = pytest.mark.slow

PEOPLE = ("Ada Lovelace", "Ben Okri", "Cleo Paz", "Dan Brown", "Eve Curie")
ROWS = [
    [row[0], PEOPLE[int(row[1][1:]) - 1], *row[2:]]
    for row in [
        *VOTES,
        ["e", "p5", "wrath", "1", "1", "1", "", ""],
        ["e", "p5", "hate", "1", "1", "1", "", ""],
    ]
]


@pytest.fixture(scope="module")
def voted(tmp_path_factory):
    """A folder with ``clips`` that have a salt, prepared in ``work`` and published in ``out``."""
    here = tmp_path_factory.mktemp("voted")
    ensure_salt(write(here / "clips", ROWS))
    run(recipe(dataset={"name": "mine"}), here / "clips", here / "work")
    published(here / "work", here / "out")
    shutil.copytree(here / "clips" / "videos", here / "mine" / "videos")
    return here


def made(voted, out, work):
    return rebuild(out, voted / "mine", work, jobs=1, progress=nothing)


def names_in(folder):
    """Files below a folder that hold the name of an annotator, in their bytes or in a cell."""
    holders = set()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".parquet":
            text += json.dumps(pq.read_table(path).to_pylist(), default=str)
        if any(word in text for name in PEOPLE for word in (name, *name.split())):
            holders.add(path.name)
    return holders


def test_no_name_and_no_salt_leaves_the_data_root(voted):
    assert names_in(voted / "clips") == {"votes.csv"}
    made(voted, voted / "out", voted / "again")
    for folder in ("work", "out", "again"):
        assert names_in(voted / folder) == set()
        assert not list((voted / folder).rglob(SALT))
    salt = (voted / "clips" / SALT).read_text(encoding="ascii").strip()
    assert not [
        path
        for path in (voted / "work").rglob("*.*")
        if path.is_file() and salt.encode() in path.read_bytes()
    ]
    (detail,) = (
        row["detail"]
        for row in read_rows(voted / "work" / "manifests" / "rejects.parquet")
        if row["reason"] == "duplicate_vote"
    )
    assert re.fullmatch("'a-[0-9a-f]{8}' voted twice in round 1", detail)


def test_a_rebuilt_publication_has_the_same_votes(voted, tmp_path):
    proof = made(voted, voted / "out", tmp_path / "again")
    assert proof.is_same
    tables = ["votes.parquet", "clips.parquet", "README.md"]
    first, second = (read_index(folder)["files"] for folder in (voted / "work", tmp_path / "again"))
    assert [first[name]["sha256"] for name in tables] == [second[name]["sha256"] for name in tables]
    assert digest_file(voted / "out" / "counted_votes.parquet") == first["votes.parquet"]["sha256"]
    config, root = saved(tmp_path / "again")
    assert run(config, root, tmp_path / "again").done == 0
    assert "only hide" not in (tmp_path / "again" / "manifests" / "README.md").read_text(encoding="utf-8")


def test_a_publication_of_a_rebuilt_set_is_the_same_publication(voted, tmp_path):
    made(voted, voted / "out", tmp_path / "again")
    published(tmp_path / "again", tmp_path / "out")
    first, second = (read_published(folder) for folder in (voted / "out", tmp_path / "out"))
    names = ("votes.parquet", "counted_votes.parquet", "entries.parquet", "README.md")
    assert [first.files[name].sha256 for name in names] == [second.files[name].sha256 for name in names]
    assert first.annotators == second.annotators == "salted"


def test_votes_open_as_configs_of_the_card(voted, tmp_path):
    loaded = datasets.load_dataset(str(voted / "out"), "counted_votes", cache_dir=str(tmp_path))["full"]
    assert loaded.num_rows == len(ROWS)
    assert {name[:2] for name in loaded["annotator"]} == {"a-"}
    card = (voted / "out" / "README.md").read_text(encoding="utf-8")
    assert "Annotators are listed by pseudonyms, keyed hashes of their names" in card
    assert "Pseudonyms of annotators, and their votes" in (voted / "out" / "croissant.json").read_text()


def test_what_differs_is_told_by_clip_and_not_who_voted(voted, tmp_path):
    shutil.copytree(voted / "clips", tmp_path / "clips")
    (tmp_path / "clips" / SALT).unlink()
    (tmp_path / "clips" / "votes.csv").write_text(
        (voted / "clips" / "votes.csv").read_text(encoding="utf-8") + "b,Dan Brown,hate,0.5,1,1,,\n",
        encoding="utf-8",
    )
    run(recipe(dataset={"name": "mine"}), tmp_path / "clips", tmp_path / "work")
    for first in ("work", "out"):
        actual = difference(voted / first, tmp_path / "work")
        assert [change.where for change in actual.of("votes")] == ["b"]
        assert re.fullmatch(r"3 votes \([0-9a-f]{8}\)", actual.of("votes")[0].before)
        assert actual.of("votes")[0].after.startswith("4 votes ")
        assert not actual.is_same


def test_other_votes_are_no_proof(voted, tmp_path):
    shutil.copytree(voted / "out", tmp_path / "out")
    path = tmp_path / "out" / "counted_votes.parquet"
    table = pq.read_table(path)
    write_table(path, table.slice(1))
    index = read_sealed(tmp_path / "out" / "published.json")
    index["files"][path.name]["sha256"] = digest_file(path)
    write_sealed(tmp_path / "out" / "published.json", index)
    proof = made(voted, tmp_path / "out", tmp_path / "again")
    assert not proof.is_same
    assert any("other votes: 1 (a: 4 votes" in line for line in proof_lines(proof, full=True))


def test_names_stay_names_where_the_recipe_says_so(voted, tmp_path):
    config = recipe(dataset={"name": "mine"}, consensus={"annotators": "names"})
    run(config, voted / "clips", tmp_path / "work")
    published(tmp_path / "work", tmp_path / "out")
    assert {row["annotator"] for row in read_rows(tmp_path / "work" / "manifests" / "votes.parquet")} == {
        *PEOPLE
    }
    made(voted, tmp_path / "out", tmp_path / "again")
    table = tmp_path / "again" / "manifests" / "votes.parquet"
    assert {row["annotator"] for row in read_rows(table)} == {*PEOPLE}
    assert "Annotators are listed by name" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_publications_of_earlier_versions_are_read(voted, tmp_path):
    """Tables without the later columns, and an index that does not tell how annotators are named."""
    out = tmp_path / "out"
    shutil.copytree(voted / "out", out)
    (out / "counted_votes.parquet").unlink()
    index = read_sealed(out / "published.json")
    for name, lacks in (("votes.parquet", ["spent_s", "cast_at"]), ("entries.parquet", ["gold_label"])):
        write_table(out / name, pq.read_table(out / name).drop_columns(lacks))
    for path in out.glob("[ci]*/*.parquet"):
        write_table(path, pq.read_table(path).drop_columns(["soft_label"]))
    del index["annotators"], index["files"]["counted_votes.parquet"]
    for name in index["files"]:
        index["files"][name]["sha256"] = digest_file(out / name)
    write_sealed(out / "published.json", index)
    assert made(voted, out, tmp_path / "again").is_same
    listing = tmp_path / "again" / "source" / CARRIED
    assert "annotators" in Path(listing / "listing.json").read_text(encoding="utf-8")
    assert difference(out, voted / "work").of("votes") == []
