"""Frame numbers."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.preparation.sampling import near_key_frame, uniform


def test_neighbourhood_is_cut_at_the_ends_of_the_clip():
    assert near_key_frame(1, 5, before=3, after=2, step=1) == [0, 1, 2, 3]
    assert near_key_frame(4, 5, before=2, after=9, step=2) == [0, 2, 4]


def test_a_neighbourhood_of_a_billion_frames_costs_no_more_than_the_clip_has():
    assert near_key_frame(2, 5, before=10**9, after=10**9, step=1) == [0, 1, 2, 3, 4]
    assert near_key_frame(2, 5, before=10**9, after=10**9, step=10**9) == [2]


def test_key_frame_outside_is_an_error():
    with pytest.raises(ValueError, match="key frame 5, but the clip has frames 0 to 4"):
        near_key_frame(5, 5, before=1, after=1, step=1)


def test_uniform_takes_the_middles_of_equal_parts():
    assert uniform(16, 4) == [2, 6, 10, 14]
    assert uniform(3, 16) == [0, 1, 2]
    assert uniform(7, 1) == [3]


@pytest.mark.slow
@given(st.integers(1, 3000), st.integers(1, 64))
def test_uniform_is_increasing_and_inside(n_frames, count):
    actual = uniform(n_frames, count)
    assert len(actual) == min(count, n_frames)
    assert all(first < second for first, second in pairwise(actual))
    assert actual[0] >= 0
    assert actual[-1] < n_frames
