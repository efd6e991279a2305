"""Kept maps: right for every image and view, resumed, never half used, never of something else."""

import hashlib
import json

import numpy as np
import pytest
import torch

from fgbench.errors import ConfigError, ResourceError
from fgbench.inputs import cached_maps as map_store
from fgbench.inputs import unfinished_maps
from fgbench.inputs.cached_maps import find_maps, keep_maps
from fgbench.inputs.crops import draw_views
from fgbench.inputs.map_views import KeptMaps
from fgbench.inputs.resident import Resident
from fgbench.runs.digests import kept_files
from fgbench.storage import exclusive

CPU = torch.device("cpu")
KEY = {"trunk": "abc", "views": [[0, False], [0, True], [1, False]]}
N, V, R = 11, 3, 2
SHAPES = (
    "{}",
    "[]",
    "1",
    "NaN",
    "null",
    '"x"',
    '{"shape": 5}',
    '{"key": [], "shape": [Infinity], "bytes": 1}',
    '{"key": {}, "shape": [-1, 3, 2, 4, 2, 2], "dtype": "float16", "bytes": 1, "sha256": "x"}',
    '{"n_images": 11, "shape": [3, 2, 4, 2, 2], "done": 7, "checks": null}',
    '{"n_images": 11, "shape": [3, 2, 4, 2, 2], "done": "ffff", "checks": "00"}',
    "[" * 5000,
)
IMAGES = torch.arange(N, dtype=torch.uint8)[:, None, None, None].expand(N, 3, 2, 2).contiguous()


def plain(image, view, n_maps=R):
    """Maps (R, 4, 2, 2) that tell of which image, view and region they are."""
    cells = torch.arange(16.0).view(4, 2, 2)
    return torch.stack([1000.0 * view + 50.0 * image + cells / 16 + 20 * region for region in range(n_maps)])


class Calls:
    def __init__(self, n_maps=R, fail_after=None):
        self.n_maps, self.fail_after, self.seen = n_maps, fail_after, []

    def __call__(self, images, view):
        if self.fail_after is not None and len(self.seen) >= self.fail_after:
            raise KeyboardInterrupt
        positions = images[:, 0, 0, 0].tolist()
        self.seen.append((tuple(positions), view))
        return torch.stack([plain(position, view, self.n_maps) for position in positions])


def flip(path, byte):
    data = bytearray(path.read_bytes())
    data[byte] ^= 4
    path.write_bytes(data)


def kept(folder, compute, *, n_maps=R, key=KEY, images=IMAGES, batch=4, told=None, note=lambda text: None):
    return keep_maps(
        folder,
        key,
        images=Resident(images),
        n_views=V,
        n_maps=n_maps,
        n_made=compute.n_maps,
        compute=compute,
        batch=batch,
        device=CPU,
        resident_mb=1,
        progress=lambda *what: None if told is None else told.append(what),
        note=note,
    )


def check(maps, n_maps=R):
    for epoch in (0, 1):
        views = draw_views(N, V, seed=5, epoch=epoch)
        batches = list(maps.batches(epoch=epoch, seed=5, batch=4, shuffle=True))
        assert sorted(index for one in batches for index in one.index.tolist()) == list(range(N))
        for one in batches:
            assert one.images.dtype == torch.float32
            expected = [plain(index, int(views[index]), n_maps) for index in one.index.tolist()]
            assert torch.equal(one.images, torch.stack(expected).half().float())
    in_order = list(maps.batches(epoch=0, seed=5, batch=4, shuffle=False))
    assert [index for one in in_order for index in one.index.tolist()] == list(range(N))
    assert torch.equal(torch.cat([one.images for one in in_order]), maps.view(0).float())
    assert torch.equal(maps.view(2), torch.stack([plain(index, 2, n_maps) for index in range(N)]).half())


def test_maps_are_those_of_their_image_and_view(tmp_path):
    messages = []
    check(kept(tmp_path, Calls(), told=messages))
    assert messages[-1] == ("maps", N, N)


def test_batches_are_those_of_images(tmp_path):
    maps, images = kept(tmp_path, Calls()), Resident(IMAGES)
    for rank in range(2):
        asked = {"epoch": 3, "seed": 5, "batch": 4, "shuffle": True, "rank": rank, "world": 2}
        actual = [one.index.tolist() for one in maps.batches(**asked)]
        assert actual == [one.index.tolist() for one in images.batches(**asked)]
        assert len(maps.batches(**asked)) == len(images.batches(**asked)) == 3


def test_complete_maps_are_used_again(tmp_path):
    kept(tmp_path, Calls())
    again = Calls()
    check(kept(tmp_path, again))
    assert again.seen == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "maps-02.f16", "maps-02.json"]


def test_maps_of_more_regions_serve_for_fewer_and_not_the_reverse(tmp_path):
    kept(tmp_path, Calls(n_maps=3), n_maps=2)
    fewer = Calls()
    check(kept(tmp_path, fewer))
    assert fewer.seen == []
    more = Calls(n_maps=4)
    check(kept(tmp_path, more, n_maps=4), n_maps=4)
    assert more.seen
    assert find_maps(tmp_path, KEY, n_images=N, n_views=V, n_maps=3) is not None


@pytest.mark.parametrize("calls", [0, 1, 3, 7])
def test_a_killed_run_is_continued(tmp_path, monkeypatch, calls):
    monkeypatch.setattr(map_store, "_SAVE_EVERY_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, Calls(fail_after=calls))
    assert find_maps(tmp_path, KEY, n_images=N, n_views=V, n_maps=R) is None
    rest = Calls()
    check(kept(tmp_path, rest, batch=3))
    finished = 4 * (calls // V)
    assert {position for positions, _ in rest.seen for position in positions} == set(range(finished, N))


@pytest.mark.parametrize("damage", ["cut", "lost", "no record", "bad record"])
def test_damaged_maps_are_not_used_and_made_anew(tmp_path, damage):
    kept(tmp_path, Calls())
    data, record = tmp_path / "maps-02.f16", tmp_path / "maps-02.json"
    if damage == "cut":
        data.write_bytes(data.read_bytes()[:-2])
    elif damage == "lost":
        data.unlink()
    elif damage == "no record":
        record.unlink()
    else:
        record.write_text('{"shape": [1')
    assert find_maps(tmp_path, KEY, n_images=N, n_views=V, n_maps=R) is None
    again = Calls()
    check(kept(tmp_path, again))
    assert again.seen


@pytest.mark.parametrize("damage", ["cut", "lost", "bad record"])
def test_damage_to_what_a_killed_run_left_is_noticed(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(map_store, "_SAVE_EVERY_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, Calls(fail_after=6))
    data, record = tmp_path / "maps-02.partial", tmp_path / "maps-02.progress.json"
    if damage == "cut":
        data.write_bytes(data.read_bytes()[:-2])
    elif damage == "lost":
        data.unlink()
    else:
        record.write_text(json.dumps({"n_images": N, "shape": [3, 2, 4, 2, 2], "done": "zz"}))
    rest = Calls()
    check(kept(tmp_path, rest))
    assert {position for positions, _ in rest.seen for position in positions} == set(range(N))


@pytest.mark.parametrize("byte", [0, 1, 517, -1])
def test_a_flipped_bit_is_found_told_and_made_again(tmp_path, byte):
    kept(tmp_path, Calls())
    data = tmp_path / "maps-02.f16"
    whole = data.read_bytes()
    flip(data, byte)
    messages = []
    asked = {"n_images": N, "n_views": V, "n_maps": R}
    assert find_maps(tmp_path, KEY, **asked, note=messages.append) is None
    assert messages == [f"{data} is damaged (its SHA-256 is not that of its record): it is made again"]
    again, messages = Calls(), []
    check(kept(tmp_path, again, note=messages.append))
    assert again.seen
    assert len(messages) == 1
    assert data.read_bytes() == whole


def test_a_bit_flipped_in_what_a_killed_run_left_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(map_store, "_SAVE_EVERY_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, Calls(fail_after=6))
    partial = tmp_path / "maps-02.partial"
    row = partial.stat().st_size // N
    flip(partial, 2 * row + 5)
    rest, messages = Calls(), []
    check(kept(tmp_path, rest, note=messages.append))
    assert {position for positions, _ in rest.seen for position in positions} == {2, 8, 9, 10}
    assert messages == [f"{partial} is damaged: 1 of its images are made again"]


def test_a_file_is_read_for_its_digest_once(tmp_path, monkeypatch):
    read = []
    digest = map_store.digest_file
    monkeypatch.setattr(map_store, "digest_file", lambda path: read.append(path) or digest(path))
    for _ in range(3):
        check(kept(tmp_path, Calls()))
    assert len(read) == 1


def test_the_files_of_caches_are_listed_with_their_digests(tmp_path):
    kept(tmp_path / "cache" / "maps" / "abc", Calls())
    ((path, digest),) = kept_files(tmp_path)
    assert path == tmp_path / "cache" / "maps" / "abc" / "maps-02.f16"
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("text", SHAPES)
def test_records_of_another_shape_are_as_good_as_none(tmp_path, monkeypatch, text):
    kept(tmp_path / "whole", Calls())
    monkeypatch.setattr(map_store, "_SAVE_EVERY_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "part", Calls(fail_after=6))
    (tmp_path / "whole" / "maps-02.json").write_text(text)
    (tmp_path / "part" / "maps-02.progress.json").write_text(text)
    for folder in ("whole", "part"):
        again = Calls()
        check(kept(tmp_path / folder, again))
        assert {position for positions, _ in again.seen for position in positions} == set(range(N))


def test_a_reader_keeps_its_maps_while_they_are_made_anew(tmp_path):
    reader = kept(tmp_path, Calls())
    (tmp_path / "maps-02.json").unlink()
    kept(tmp_path, Calls())
    check(reader)


def test_other_keys_are_not_served(tmp_path):
    kept(tmp_path, Calls())
    assert find_maps(tmp_path, {**KEY, "trunk": "other"}, n_images=N, n_views=V, n_maps=R) is None
    assert find_maps(tmp_path, KEY, n_images=N + 1, n_views=V, n_maps=R) is None
    assert find_maps(tmp_path, KEY, n_images=N, n_views=V + 1, n_maps=R) is None


def test_the_file_is_not_changed_by_who_reads_it(tmp_path):
    maps = kept(tmp_path, Calls())
    before = (tmp_path / "maps-02.f16").read_bytes()
    maps.view(0).zero_()
    assert (tmp_path / "maps-02.f16").read_bytes() == before


def test_two_processes_do_not_make_the_same_maps(tmp_path):
    with exclusive(tmp_path), pytest.raises(ResourceError, match="another fgbench process"):
        kept(tmp_path, Calls())


def test_too_little_room_is_said_before_anything_is_made(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 100})
    monkeypatch.setattr(unfinished_maps.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(ResourceError, match=r"maps take .* GB free\n.*keep_maps"):
        kept(tmp_path, Calls())
    assert find_maps(tmp_path, KEY, n_images=N, n_views=V, n_maps=R) is None


def test_activations_beyond_float16_are_refused(tmp_path):
    class Huge(Calls):
        def __call__(self, images, view):
            return super().__call__(images, view) + 7e4

    with pytest.raises(ConfigError, match=r"65504\n.*keep_maps"):
        kept(tmp_path, Huge())


def test_no_images_are_no_maps(tmp_path):
    maps = kept(tmp_path, Calls(), images=IMAGES[:0])
    assert len(maps) == 0
    assert list(maps.batches(epoch=0, seed=0, batch=2, shuffle=True)) == []


def test_float16_has_the_machines_bytes(tmp_path):
    kept(tmp_path, Calls())
    stored = np.fromfile(tmp_path / "maps-02.f16", "<f2").reshape(N, V, R, 4, 2, 2)
    np.testing.assert_array_equal(stored[7, 2], plain(7, 2).half().numpy())


def test_maps_that_lie_elsewhere_are_sent_to_the_device():
    drawn = torch.randn(N, V, R, 4, 2, 2).half()
    maps = KeptMaps(drawn, device=torch.device("meta"))
    batches = list(maps.batches(epoch=0, seed=0, batch=4, shuffle=True))
    assert [(one.images.device.type, tuple(one.images.shape)) for one in batches] == [
        ("meta", (rows, R, 4, 2, 2)) for rows in (4, 4, 3)
    ]
    assert {one.index.device.type for one in batches} == {"meta"}


def test_an_unfinished_file_that_is_a_link_is_not_written_through(tmp_path, monkeypatch):
    monkeypatch.setattr(map_store, "_SAVE_EVERY_S", 0.0)
    mine, folder = tmp_path / "mine", tmp_path / "maps"
    with pytest.raises(KeyboardInterrupt):
        kept(folder, Calls(fail_after=6))
    (folder / "maps-02.partial").rename(mine)
    (folder / "maps-02.partial").symlink_to(mine)
    before = mine.read_bytes()
    check(kept(folder, Calls()))
    assert mine.read_bytes() == before
