"""Passers-by do not become a clip's face; rows made by hand, and a clip in which somebody passes."""

from fgbench.faces import passers_by
from fgbench.faces.passers_by import without_passers_by


def row(index, track_id=None, *, score=1.0, x=100.0, width=80.0, status="ok", fps=25):
    return {
        "frame_index": index,
        "time_s": index / fps,
        "track_id": track_id,
        "status": "no_face" if track_id is None else status,
        "score": None if track_id is None else score,
        "box_xyxy": None if track_id is None else [x, 50.0, x + width, 50.0 + width],
    }


def clip(*parts):
    """Rows of parts (frames, track, and what else row() takes) one after another."""
    rows = []
    for length, track_id, *more in parts:
        rows += [row(len(rows) + n, track_id, **(more[0] if more else {})) for n in range(length)]
    return rows


def settled(rows, *, n_frames=None, seconds=0.4, score=0.3, frame_s=0.04):
    last = rows[-1]["frame_index"] + 1 if n_frames is None else n_frames
    actual = list(
        without_passers_by(rows, frame_s=frame_s, n_frames=last, min_track_s=seconds, min_track_score=score)
    )
    assert [one["frame_index"] for one in actual] == [one["frame_index"] for one in rows]
    return [one["status"] for one in actual]


AWAY = {"x": 400.0}


def test_six_frames_of_somebody_else_are_passing():
    rows = clip((6, 0, AWAY), (3, None), (30, 1), (6, 2, AWAY), (20, 1), (5, 3, AWAY))
    expected = ["passing"] * 6 + ["no_face"] * 3 + ["ok"] * 30 + ["passing"] * 6 + ["ok"] * 20
    assert settled(rows) == expected + ["passing"] * 5


def test_a_face_that_stays_wins_whatever_its_place():
    rows = clip((12, 0, AWAY), (30, 1))
    assert settled(rows) == ["ok"] * 42
    assert settled(rows, seconds=0.5) == ["passing"] * 12 + ["ok"] * 30


def test_weak_faces_have_to_stay_longer():
    weak = {**AWAY, "score": 0.1}
    assert settled(clip((20, 0, weak), (30, 1))) == ["passing"] * 20 + ["ok"] * 30
    assert settled(clip((40, 0, weak), (30, 1))) == ["ok"] * 70  # 1.6 s
    assert settled(clip((20, 0, weak), (30, 1)), score=0.05) == ["ok"] * 50


def test_where_no_face_stays_all_are_kept():
    assert settled(clip((6, 0, AWAY), (3, None), (6, 1))) == ["ok"] * 6 + ["no_face"] * 3 + ["ok"] * 6
    assert settled(clip((1, 0))) == ["ok"]


def test_the_same_head_that_was_lost_for_a_moment_is_kept():
    assert settled(clip((30, 0), (4, 1, {"x": 150.0}), (30, 2))) == ["ok"] * 64
    larger = settled(clip((30, 0), (4, 1, {"width": 160.0}), (30, 2)))
    assert larger == ["ok"] * 30 + ["passing"] * 4 + ["ok"] * 30


def test_only_faces_become_passing():
    rows = clip((30, 0), (4, 1, {**AWAY, "status": "large_pose"}), (2, None), (30, 0))
    assert settled(rows)[30:36] == ["passing"] * 4 + ["no_face"] * 2


def test_what_was_not_seen_to_begin_and_to_end_is_kept():
    dense = clip((30, 0), (4, 1, AWAY), (30, 0))
    assert settled(dense[::2])[15:17] == ["ok"] * 2  # every other frame was sampled
    assert settled(clip((30, 0), (4, 1, AWAY)), n_frames=60)[30:] == ["ok"] * 4
    later = [{**one, "frame_index": one["frame_index"] + 9} for one in clip((4, 1, AWAY), (30, 0))]
    assert settled(later) == ["ok"] * 34


def test_clips_without_times_and_recipes_that_take_all_are_left():
    rows = clip((6, 0, AWAY), (30, 1))
    assert settled(rows, frame_s=None) == settled(rows, seconds=0) == ["ok"] * 36


def test_a_bounded_number_of_rows_waits():
    rows = clip((30, 0), (4, 1, AWAY), (3000, None), (3, 2, AWAY))
    taken = []

    def observations():
        for one in rows:
            taken.append(one)
            yield one

    kinds = []
    for given, one in enumerate(
        without_passers_by(
            observations(), frame_s=0.04, n_frames=len(rows), min_track_s=0.4, min_track_score=0.3
        )
    ):
        assert len(taken) - given <= passers_by.MOST_HELD
        kinds.append(one["status"])
    assert kinds[30:34] == ["passing"] * 4
    assert kinds[-3:] == ["passing"] * 3
