"""Timeline: frames told from packets, and when packets are not trusted."""

from types import SimpleNamespace

import numpy as np
import pytest

from fgbench.media.decoders._timeline import PacketLog, build_timeline, time_span

# Packets in file order as (pts, is key, is hidden): two groups, the second one open (frame 5 precedes key 6).
PACKETS = [(0, 1, 0), (3, 0, 0), (1, 0, 0), (2, 0, 0), (4, 0, 0), (6, 1, 0), (5, 0, 0), (7, 0, 0)]


def timeline(packets, *, container="mov,mp4,m4a,3gp,3g2,mj2", codec="h264", n_declared=None, corrupt=False):
    log = PacketLog()
    for pts, is_key, is_hidden in packets:
        log.add(
            SimpleNamespace(
                pts=pts,
                duration=1,
                is_keyframe=bool(is_key),
                is_discard=bool(is_hidden),
                is_corrupt=corrupt,
            )
        )
    n_declared = len(packets) if n_declared is None else n_declared
    return build_timeline(log, container=container, codec=codec, n_declared=n_declared)


def test_frames_are_the_sorted_packets():
    shown = timeline(PACKETS)
    assert shown.pts.tolist() == list(range(8))
    assert [shown.index_of(pts) for pts in (0, 5, 7, 8, -1, None)] == [0, 5, 7, None, None, None]
    assert shown.last_duration == 1


def test_a_frame_decodes_from_the_last_key_frame_not_after_it():
    shown = timeline(PACKETS)
    assert shown.key_pts.tolist() == [0, 6]
    assert [shown.key_before(index) for index in range(8)] == [0, 0, 0, 0, 0, 0, 1, 1]
    assert shown.has_leading_frames
    assert not timeline(PACKETS[:5]).has_leading_frames


def test_hidden_packets_are_not_counted():
    hidden = [(pts - 4, is_key, pts < 4) for pts, is_key, _ in PACKETS]
    shown = timeline(hidden)
    assert shown.pts.tolist() == [0, 1, 2, 3]
    assert shown.has_edits
    assert (shown.key_pts.tolist(), shown.key_indices.tolist()) == ([-4, 2], [0, 2])
    assert not timeline(PACKETS).has_edits


def test_key_frames_in_a_row_that_are_hidden_give_the_latest():
    shown = timeline([(-2, 1, 1), (-1, 1, 1), (0, 0, 0), (1, 0, 0)])
    assert shown.key_pts[shown.key_before(1)] == -1


@pytest.mark.parametrize(
    "doubt",
    [
        {"packets": [*PACKETS[:2], (None, 0, 0)]},
        {"packets": [*PACKETS, (7, 0, 0)]},  # two frames at one time
        {"packets": PACKETS[1:]},  # does not start with a key frame
        {"packets": PACKETS[5:]},  # starts in an open group
        {"packets": [(pts, is_key, 1) for pts, is_key, _ in PACKETS]},
        {"packets": []},
        {"packets": PACKETS, "n_declared": 9},
        {"packets": PACKETS, "corrupt": True},
        {"packets": PACKETS, "container": "mpegts"},
        {"packets": PACKETS, "codec": "vp8"},
        {"packets": PACKETS, "codec": "mpeg4"},
    ],
    ids=[
        "no time",
        "same time",
        "no key",
        "open start",
        "hidden",
        "none",
        "count",
        "cut",
        "ts",
        "vp8",
        "mpeg4",
    ],
)
def test_doubtful_packets_give_no_timeline(doubt):
    assert timeline(**doubt) is None


def test_a_header_without_a_count_is_no_doubt():
    assert timeline(PACKETS, container="matroska,webm", n_declared=0) is not None


@pytest.mark.parametrize(("container", "expected"), [("matroska,webm", True), ("avi", False)])
def test_avi_has_no_presentation_times(container, expected):
    assert PacketLog().has_times(container) is expected


def test_packets_of_a_long_file_take_little_memory():
    log = PacketLog()
    packet = SimpleNamespace(pts=1 << 40, duration=512, is_keyframe=False, is_discard=False, is_corrupt=False)
    for _ in range(1000):
        log.add(packet)
    kept = [getattr(log, name) for name in ("pts", "durations", "keys", "hidden")]
    assert sum(np.frombuffer(column, np.uint8).nbytes for column in kept) == 18_000


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((4, 10, 40, 12), 42), ((4, 10, 40, 0), 40), ((1, 7, 7, 3), 3), ((1, 7, 7, 0), 0)],
)
def test_time_span(arguments, expected):
    assert time_span(*arguments) == expected
