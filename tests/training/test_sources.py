"""Resident and streamed images: every sample once, its own picture, the same order every time."""

import threading

import numpy as np
import pytest
import torch

from fgbench.errors import MediaError
from fgbench.inputs.image_set import decode_all
from fgbench.inputs.manifest_pictures import Stored, find_images
from fgbench.inputs.resident import Resident, fits
from fgbench.inputs.streaming import Streamed, windows_of
from fgbench.media.images import decode
from tests.support.tiny_manifests import encoded, image_row, write_images

CPU = torch.device("cpu")
N = 45


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Stored:
    folder = tmp_path_factory.mktemp("manifests")
    rows = [image_row(number) for number in range(60)]
    write_images(folder, rows)
    wanted = np.random.default_rng(1).permutation(60)[:N]
    return find_images(folder, [rows[number]["image_id"] for number in wanted])


@pytest.fixture(scope="module")
def images(stored):
    numbers = [int(name[-5:]) for name in stored.names]
    return torch.from_numpy(np.stack([decode(encoded(number)).transpose(2, 0, 1) for number in numbers]))


def sources(stored, images):
    return {
        "resident": Resident(decode_all(stored, device=CPU, jobs=2)),
        "streamed": Streamed(stored, device=CPU, jobs=2, window_rows=12),
        "one window": Streamed(stored, device=CPU, jobs=1, window_rows=1000),
    }


def drawn(source, **more):
    return list(source.batches(**{"epoch": 0, "seed": 7, "batch": 8, "shuffle": True} | more))


def order(batches):
    return [index for one in batches for index in one.index.tolist()]


@pytest.mark.parametrize("kind", ["resident", "streamed", "one window"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_sample_comes_once_with_its_picture(stored, images, kind, shuffle):
    source = sources(stored, images)[kind]
    batches = drawn(source, shuffle=shuffle)
    assert len(source) == N
    assert [len(one) for one in batches] == [8] * 5 + [5]
    assert len(source.batches(epoch=0, seed=0, batch=8, shuffle=shuffle)) == 6
    assert sorted(order(batches)) == list(range(N))
    for one in batches:
        assert torch.equal(one.images, images[one.index])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["resident", "streamed", "one window"])
def test_the_order_depends_on_seed_and_epoch_alone(stored, images, kind):
    source = sources(stored, images)[kind]
    assert order(drawn(source)) == order(drawn(source))
    assert (
        len({tuple(order(drawn(source, seed=seed, epoch=epoch))) for seed in (1, 2) for epoch in (0, 1)}) == 4
    )
    epoch = source.batches(epoch=0, seed=7, batch=8, shuffle=True)
    assert order(epoch) == order(epoch) == order(drawn(source))


@pytest.mark.parametrize("kind", ["resident", "streamed"])
def test_processes_take_their_rows_of_every_batch(stored, images, kind):
    source = sources(stored, images)[kind]
    alone = drawn(source)
    parts = [drawn(source, rank=rank, world=3) for rank in range(3)]
    for number, batch in enumerate(alone):
        assert torch.equal(torch.cat([part[number].index for part in parts]), batch.index)
        assert torch.equal(torch.cat([part[number].images for part in parts]), batch.images)


def test_threads_do_not_change_what_is_streamed(stored):
    one, many = (drawn(Streamed(stored, device=CPU, jobs=jobs, window_rows=12)) for jobs in (1, 5))
    assert order(one) == order(many)
    assert all(torch.equal(a.images, b.images) for a, b in zip(one, many, strict=True))


def test_windows_are_shuffled_within_and_row_groups_among_each_other(stored):
    source = Streamed(stored, device=CPU, jobs=1, window_rows=12)
    unit_of = {index: unit for unit, positions in enumerate(stored.indices) for index in positions.tolist()}
    plain = [unit_of[index] for index in order(drawn(source, shuffle=False))]
    assert plain == sorted(plain)
    shuffled = [unit_of[index] for index in order(drawn(source))]
    spans = [shuffled[::-1].index(unit) + shuffled.index(unit) for unit in set(shuffled)]
    assert min(N - 1 - span for span in spans) >= 0
    firsts = list(dict.fromkeys(shuffled))
    assert firsts != sorted(firsts)
    # A unit lies within one window: at most 11 rows and the unit that filled it.
    widths = [N - shuffled[::-1].index(unit) - shuffled.index(unit) for unit in set(shuffled)]
    assert max(widths) <= 11 + 4
    assert max(widths) > 4, "rows of a unit are mixed with those of others"


def test_windows_hold_at_least_so_many_rows():
    assert windows_of([2, 0, 1, 3], [4, 3, 2, 1], 5) == [[2, 0], [1, 3]]
    assert windows_of([0, 1], [4, 3], 4) == [[0], [1]]
    assert windows_of([], [], 4) == []


def test_nothing_can_be_streamed(tmp_path):
    write_images(tmp_path, [image_row(0)])
    source = Streamed(find_images(tmp_path, []), device=CPU, jobs=1)
    assert drawn(source) == []


def test_a_broken_picture_stops_the_stream_and_its_threads(tmp_path):
    rows = [image_row(number, data=b"broken" if number == 9 else None) for number in range(12)]
    names = write_images(tmp_path, rows)
    before = threading.active_count()
    source = Streamed(find_images(tmp_path, names), device=CPU, jobs=2)
    with pytest.raises(MediaError, match=names[9]):
        drawn(source, batch=3)
    assert threading.active_count() == before


def test_a_stream_that_is_left_early_leaves_no_threads(stored):
    before = threading.active_count()
    batches = iter(
        Streamed(stored, device=CPU, jobs=2, window_rows=12).batches(epoch=0, seed=0, batch=4, shuffle=True)
    )
    assert len(next(batches)) == 4
    batches.close()
    assert threading.active_count() == before


def test_images_fit_up_to_the_limit():
    assert fits(2**20, device=CPU, resident_mb=1)
    assert not fits(2**20 + 1, device=CPU, resident_mb=1)
