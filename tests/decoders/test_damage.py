"""Damaged files: what can be decoded is given with its number, what shows damage is marked."""

import numpy as np
import pytest

from fgbench.media.video import open_video
from tests.support import video_files as vf

N_FRAMES = 40
LOST_PACKETS = [12, 13, 14, 25]  # in the second and the third group of 10 frames


def encode(folder, codec):
    """A clip with much detail, so that damage shows, and 10 frames between key frames."""
    options = {**vf.QUICK, "crf": "10", "g": "10", "bf": "2", "sc_threshold": "0"}
    if codec == "libx265":
        options = {"preset": "ultrafast", "x265-params": "keyint=10:bframes=3:log-level=none"}
    return vf.write_clip(folder / f"{codec}.mp4", N_FRAMES, size=(320, 240), codec=codec, options=options)


@pytest.fixture(scope="module", params=["libx264", "libx265"])
def whole(request, tmp_path_factory):
    return encode(tmp_path_factory.mktemp("whole"), request.param)


def grays(path, indices=None):
    with open_video(path) as reader:
        return {frame.index: (frame.gray(), frame.is_corrupt) for frame in reader.frames(indices)}


@pytest.mark.slow
def test_frames_after_lost_packets_are_marked_until_the_next_key_frame(whole, tmp_path):
    expected = grays(whole)
    damaged = grays(vf.zero_packets(whole, tmp_path / "lost.mp4", numbers=LOST_PACKETS))
    assert N_FRAMES - 16 <= len(damaged) <= N_FRAMES - len(LOST_PACKETS)
    for index, (gray, is_corrupt) in damaged.items():
        assert is_corrupt or np.array_equal(gray, expected[index][0])
    for index in (*range(9), 20, *range(30, N_FRAMES)):
        assert not damaged[index][1]


def test_neighbours_of_a_lost_frame_keep_their_numbers_at_random(whole, tmp_path):
    path = vf.zero_packets(whole, tmp_path / "lost.mp4", numbers=LOST_PACKETS)
    expected = grays(whole)
    in_order = grays(path)
    for indices in ([5, 30], [30, 31, 39], list(range(8, 22))):
        for index, (gray, is_corrupt) in grays(path, indices).items():
            assert index in in_order
            assert is_corrupt or np.array_equal(gray, expected[index][0])
    lost = sorted(set(range(N_FRAMES)) - set(in_order))
    for index in lost[:3]:
        assert grays(path, [index]) == {}


def test_flipped_bytes_are_marked(whole, tmp_path):
    """Not all damage can be known: some flips still are valid code. Most is marked, little in vain."""
    expected = grays(whole)
    n_wrong = n_marked = n_false = 0
    for seed in range(12):
        path = vf.flip_bytes(whole, tmp_path / "flipped.mp4", seed=seed, n_bytes=(1, 3, 8)[seed % 3])
        for index, (gray, is_corrupt) in grays(path).items():
            is_wrong = not np.array_equal(gray, expected[index][0])
            n_wrong += is_wrong
            n_marked += is_wrong and is_corrupt
            n_false += is_corrupt and not is_wrong
    assert n_wrong > 50
    assert n_marked > 0.75 * n_wrong
    assert n_false < 0.2 * n_wrong


def test_whole_files_have_no_mark(whole):
    assert not any(is_corrupt for _, is_corrupt in grays(whole).values())
