"""Stable hashes: literals, so that a change of the scheme (which would move every clip) is noticed."""

import hashlib

from fgbench.files import hashing


def test_hashes_are_what_they_were():
    # python -c "import hashlib; print(int.from_bytes(hashlib.sha256(b'str:a\x1fint:1').digest()[:8], 'big'))"
    assert hashing.hash_u64("a", 1) == int.from_bytes(hashlib.sha256(b"str:a\x1fint:1").digest()[:8], "big")
    assert hashing.hash_u64("a", 1) != hashing.hash_u64("a", "1")
    assert hashing.hash_u64("ab", "c") != hashing.hash_u64("a", "bc")


def test_units_are_even():
    values = [hashing.hash_unit("x", index) for index in range(4000)]
    assert all(0 <= value < 1 for value in values)
    assert abs(sum(values) / 4000 - 0.5) < 0.02


def test_digest_of_json_ignores_the_order_of_keys():
    assert hashing.digest_json({"a": 1, "b": [2]}) == hashing.digest_json({"b": [2], "a": 1})
    assert hashing.digest_json({"a": 1}) != hashing.digest_json({"a": 2})


def test_digest_of_a_file(tmp_path):
    data = bytes(range(256)) * 9000
    (tmp_path / "f").write_bytes(data)
    assert hashing.digest_file(tmp_path / "f") == hashlib.sha256(data).hexdigest()
