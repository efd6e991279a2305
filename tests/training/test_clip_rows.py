"""Pieces of clips: which there are, and which are picked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.inputs.frame_choice import draw_jitter, pick, pieces_of
from fgbench.preparation.sampling import uniform


def frames(*clips):
    return [np.array(numbers, np.int64) for numbers in clips]


def picked(pieces, clip, count, jitter=None):
    rows, mask = pick(pieces, np.array([clip]), count, jitter)
    return rows[0][mask[0]].tolist()


def test_a_piece_lies_in_frames_that_follow_each_other():
    pieces = pieces_of(frames([0, 1, 2, 5, 6, 7, 8], [3, 4]), length=3)
    assert pieces.counts().tolist() == [3, 1]
    # Rows 0-2 are frames 0-2, rows 3-6 are frames 5-8; the second clip begins at row 7.
    assert picked(pieces, 0, 9) == [[0, 1, 2], [3, 4, 5], [4, 5, 6]]
    assert picked(pieces, 1, 9) == [[7, 8, 8]], "the last row of a run that is too short is repeated"


def test_the_longest_run_stands_in_where_all_are_too_short():
    pieces = pieces_of(frames([0, 2, 3, 5]), length=4)
    assert picked(pieces, 0, 2) == [[1, 2, 2, 2]]


def test_a_piece_may_reach_across_gaps_and_take_strides():
    pieces = pieces_of(frames([0, 3, 4, 9, 10, 20]), length=4, stride=2, across_gaps=True)
    assert picked(pieces, 0, 9) == [[0, 1, 2, 3], [2, 3, 4, 5]]
    pieces = pieces_of(frames([0, 9]), length=4, stride=2, across_gaps=True)
    assert picked(pieces, 0, 9) == [[0, 1, 1, 1]]


def test_a_clip_without_frames_has_no_piece():
    pieces = pieces_of(frames([], [0, 1]), length=1)
    rows, mask = pick(pieces, np.array([0, 1]), 3)
    assert mask.tolist() == [[False] * 3, [True, True, False]]
    assert rows[1, :2, 0].tolist() == [0, 1]
    rows, mask = pick(pieces_of(frames([]), length=2), np.array([0]), 3)
    assert rows.shape == (1, 3, 2)
    assert not mask.any()


@given(st.integers(1, 300), st.integers(1, 40))
def test_without_jitter_pieces_are_the_middles_of_equal_parts(n_frames, count):
    pieces = pieces_of(frames(range(n_frames)), length=1)
    assert [row for (row,) in picked(pieces, 0, count)] == uniform(n_frames, count)


@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 5))
def test_with_jitter_each_part_gives_one_piece(n_frames, count, epoch):
    pieces = pieces_of(frames(range(n_frames)), length=1)
    jitter = draw_jitter(1, count, seed=3, name="x", epoch=epoch)
    actual = [row for (row,) in picked(pieces, 0, count, jitter)]
    taken = min(count, n_frames)
    assert len(actual) == taken
    for part, row in enumerate(actual):
        assert part * n_frames // taken <= row <= -(-(part + 1) * n_frames // taken) - 1
    assert actual == sorted(actual), "parts may share the row at their border, no more"


def test_what_is_drawn_of_a_clip_does_not_depend_on_its_batch():
    pieces = pieces_of(frames(range(40), range(7), range(90)), length=2)
    jitter = draw_jitter(3, 5, seed=0, name="flow", epoch=2)
    together, mask = pick(pieces, np.array([2, 0, 1]), 5, jitter)
    assert mask.all()
    for index, number in enumerate((2, 0, 1)):
        alone, _ = pick(pieces, np.array([number]), 5, jitter)
        np.testing.assert_array_equal(together[index], alone[0])


def test_draws_differ_by_epoch_name_and_seed():
    usual = {"seed": 0, "name": "flow", "epoch": 0}
    first = draw_jitter(4, 3, **usual)
    assert ((first >= 0) & (first < 1)).all()
    np.testing.assert_array_equal(first, draw_jitter(4, 3, **usual))
    for other in ({"seed": 1}, {"name": "rgb"}, {"epoch": 1}):
        assert not np.array_equal(first, draw_jitter(4, 3, **(usual | other)))


@pytest.mark.parametrize("jitter", [0.0, 1 - 2**-53])
def test_jitter_at_its_ends_stays_in_the_clip(jitter):
    pieces = pieces_of(frames(range(7), range(3)), length=1)
    actual = picked(pieces, 0, 3, np.full((2, 3), jitter))
    assert min(actual) >= [0]
    assert max(actual) <= [6]
