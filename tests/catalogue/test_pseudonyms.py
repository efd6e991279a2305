"""Pseudonyms of annotators: keyed hashes by the standard's definition, and the salt that keys them."""

import hashlib
import re
import stat

import pytest

from fgbench.catalogue.pseudonyms import SALT, Naming, ensure_salt, how_named, pseudonyms, read_salt
from fgbench.errors import DatasetError

NAMES = ("Eva", "Max", "Zoë")
RULE = Naming(seed=3, dataset="mine")


def plain_hmac(secret, text):
    """HMAC-SHA-256 as RFC 2104 defines it."""
    block = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + text.encode()).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


def test_with_a_salt_they_are_keyed_hashes_of_the_names(tmp_path):
    salt = ensure_salt(tmp_path)
    written, form = pseudonyms(NAMES, tmp_path, RULE)
    assert written == {name: f"a-{plain_hmac(salt, name)[:8]}" for name in NAMES}
    assert form == "salted"
    assert pseudonyms(reversed(NAMES), tmp_path, Naming(seed=4, dataset="other"))[0] == written


def test_without_a_salt_they_follow_from_the_recipe_and_the_card_says_so(tmp_path):
    written, form = pseudonyms(NAMES, tmp_path, RULE)
    assert form == "unsalted"
    assert all(re.fullmatch("a-[0-9a-f]{8}", name) for name in written.values())
    for rule in (Naming(seed=4, dataset="mine"), Naming(seed=3, dataset="other")):
        assert not {*pseudonyms(NAMES, tmp_path, rule)[0].values()} & {*written.values()}
    assert "only hide their names from a casual reader" in how_named(form)
    assert SALT in how_named(form)


def test_names_are_kept_where_the_recipe_says_so(tmp_path):
    assert pseudonyms(NAMES, tmp_path, Naming(kind="names")) == ({name: name for name in NAMES}, "names")
    assert pseudonyms([], tmp_path, RULE) == ({}, "")


def test_the_salt_is_random_kept_and_for_its_owner_alone(tmp_path):
    (tmp_path / "other").mkdir()
    salt = ensure_salt(tmp_path)
    assert len(salt) == 32
    assert ensure_salt(tmp_path) == read_salt(tmp_path) == salt
    assert ensure_salt(tmp_path / "other") != salt
    assert (tmp_path / SALT).read_text(encoding="ascii") == f"{salt.hex()}\n"
    assert stat.S_IMODE((tmp_path / SALT).stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [SALT, "other"]


@pytest.mark.parametrize("content", [b"", b"hunter2", b"f" * 63, b"g" * 64, b"\xff" * 64])
def test_a_damaged_salt_is_refused_and_not_shown(tmp_path, content):
    (tmp_path / SALT).write_bytes(content)
    with pytest.raises(DatasetError, match="64 hexadecimal digits") as raised:
        pseudonyms(NAMES, tmp_path, RULE)
    assert not content or content.decode("latin-1") not in str(raised.value)
    assert (tmp_path / SALT).read_bytes() == content
    with pytest.raises(DatasetError):
        ensure_salt(tmp_path)


def test_a_folder_in_its_place_is_explained(tmp_path):
    (tmp_path / SALT).mkdir()
    with pytest.raises(DatasetError, match="a folder"):
        pseudonyms(NAMES, tmp_path, RULE)


def test_two_annotators_with_one_pseudonym_are_refused(tmp_path):
    """Found by trying: of 120,000 names without a salt, two begin alike."""
    names = [f"worker{number}" for number in range(120_000)]
    with pytest.raises(DatasetError, match=r"two of 120,000 annotators have the pseudonym a-"):
        pseudonyms(names, tmp_path, RULE)
