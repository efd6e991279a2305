"""Batches of an epoch: every sample once, the same for every number of processes."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fgbench.inputs.batching import Slices, batch_count, epoch_order, share


@pytest.mark.slow
@given(n=st.integers(0, 60), batch=st.integers(1, 9), world=st.integers(1, 5), shuffle=st.booleans())
def test_processes_share_every_batch_and_every_sample_comes_once(n, batch, world, shuffle):
    order = epoch_order(n, seed=5, epoch=2, shuffle=shuffle)
    alone = [rows.tolist() for rows in Slices(order, batch)]
    assert len(alone) == len(Slices(order, batch)) == batch_count(n, batch)
    assert sorted(position for rows in alone for position in rows) == list(range(n))
    assert all(len(rows) == batch for rows in alone[:-1])
    assert not alone or len(alone[-1]) <= batch + 1
    parts = [list(Slices(order, batch, rank, world)) for rank in range(world)]
    for number, rows in enumerate(alone):
        own = [part[number].tolist() for part in parts]
        assert [position for one in own for position in one] == rows
        assert len(own[0]) > 0
        sizes = [len(one) for one in own]
        assert max(sizes) - min(sizes) <= 1, "nobody waits for another, or is idle where there are rows"


def test_orders_differ_by_seed_and_epoch_and_are_repeated():
    def order(seed, epoch):
        return epoch_order(100, seed=seed, epoch=epoch, shuffle=True).tolist()

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4
    assert torch.equal(epoch_order(5, seed=1, epoch=0, shuffle=False), torch.arange(5))


@pytest.mark.parametrize(
    ("n", "batch", "count"), [(8, 4, 2), (9, 4, 2), (10, 4, 3), (1, 4, 1), (0, 4, 0), (3, 1, 3)]
)
def test_a_rest_of_one_joins_the_batch_before(n, batch, count):
    assert batch_count(n, batch) == count


def test_shares_of_few_rows():
    assert [share(5, rank, 4) for rank in range(4)] == [(0, 1), (1, 2), (2, 3), (3, 5)]
    assert [share(2, rank, 4) for rank in range(4)] == [(0, 1), (1, 2), (2, 2), (2, 2)]
