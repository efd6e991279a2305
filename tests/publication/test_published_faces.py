"""Drawn faces and votes: published, made again, coded anew; what moved is told in pixels."""

import re
import shutil

import av
import pytest

from fgbench.publication.difference import difference
from fgbench.publication.proof_lines import proof_lines
from fgbench.publication.rebuild import rebuild
from fgbench.storage import read_rows
from fgbench.workfolders.manifest_index import read_index
from tests.support.drawn_votes import BROKEN, prepared, write_voted
from tests.support.plain_data import nothing, published

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with ``clips``, prepared in ``work``, published in ``out``; and ``again`` made from that."""
    here = tmp_path_factory.mktemp("drawn")
    work = prepared(write_voted(here / "clips"), here / "work")
    published(work, here / "out")
    shutil.copytree(here / "clips" / "videos", here / "mine" / "videos")
    return here


def coded_anew(path):
    """The same pictures, coded with more loss."""
    with av.open(str(path)) as source:
        frames = [frame.to_ndarray(format="yuv420p") for frame in source.decode(video=0)]
        rate, size = source.streams.video[0].average_rate, (frames[0].shape[1], frames[0].shape[0] * 2 // 3)
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=rate, options={"qp": "34", "threads": "1"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for planes in frames:
            target.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        target.mux(stream.encode())


def test_faces_and_votes_come_out_again(drawn):
    votes = list(read_rows(drawn / "out" / "votes.parquet"))
    assert len(votes) == 9 * 5
    names = {row["annotator"] for row in votes}
    assert len(names) == 5
    assert all(re.fullmatch("a-[0-9a-f]{8}", name) for name in names)
    proof = rebuild(drawn / "out", drawn / "mine", drawn / "again", jobs=1, progress=nothing)
    assert proof.is_same
    assert proof.clips == 8
    assert proof_lines(proof, full=False)[0].startswith("clips (synthetic) is the published data set")
    first, second = (read_index(folder)["files"] for folder in (drawn / "work", drawn / "again"))
    for name in first:
        if name.endswith(".parquet") and name != "rejects.parquet":  # whose details tell the folder
            assert first[name]["sha256"] == second[name]["sha256"], name
    rejects = {
        row["id"]: row["reason"] for row in read_rows(drawn / "again" / "manifests" / "rejects.parquet")
    }
    assert rejects == {"broken": "unreadable"}
    assert BROKEN in {row["path"] for row in read_rows(drawn / "out" / "files.parquet")}
    for pair in (("work", "again"), ("out", "again"), ("work", "out")):
        assert difference(*(drawn / name for name in pair)).is_same
    # One clip is coded anew: its landmarks are told in pixels, the others stay.
    coded_anew(drawn / "mine" / "videos" / "film0" / "wrath.mp4")
    proof = rebuild(drawn / "out", drawn / "mine", drawn / "again", jobs=1, progress=nothing)
    (one,) = proof.differences
    assert (one.clip_id, one.other_bytes, dict(one.values)) == ("film0/wrath", True, {})
    faces = one.faces
    assert faces.unequal == faces.pixels == faces.frames > 10
    assert 0 < faces.most_px < 6
    text = "\n".join(proof_lines(proof, full=False))
    assert "clips (synthetic) is not the published data set: 1 of 8 clips differs" in text
    assert f"landmarks differ by at most {faces.most_px:.3g} px, in {faces.frames} frames of 1 clip" in text
    between = difference(drawn / "work", drawn / "again")
    assert [change.where for change in between.of("bytes")] == ["film0/wrath"]
    assert {change.where for change in between.of("landmarks")} <= {"film0/wrath"}
    assert between.of("setting") == []


def test_what_is_read_of_faces_is_exact(drawn):
    import numpy as np
    import pyarrow as pa

    from fgbench.publication.face_comparison import COLUMNS, compare_faces
    from fgbench.publication.face_rows import FaceRows
    from fgbench.publication.layout import parts_of

    rows = FaceRows(parts_of(drawn / "out", "faces"), COLUMNS).of("film1/gloom")
    assert compare_faces(rows, rows).is_same
    points = np.array(rows["landmarks"].to_pylist(), np.float32)
    points[3, 10] += 0.4
    points[3, 11] += 0.4
    points[5, 0] += 3.0
    points[5, 1] += 4.0
    column = pa.array(list(points), rows.schema.field("landmarks").type)
    moved = rows.set_column(rows.schema.get_field_index("landmarks"), "landmarks", column)
    actual = compare_faces(rows, moved)
    assert (actual.unequal, actual.moved, actual.laid_out, actual.statuses, actual.pixels) == (2, 2, 0, 0, 0)
    assert actual.most_px == pytest.approx(5.0, abs=1e-4)
    lost = pa.array([None, *points[1:]], rows.schema.field("landmarks").type)
    actual = compare_faces(rows, rows.set_column(rows.schema.get_field_index("landmarks"), "landmarks", lost))
    assert (actual.unequal, actual.moved) == (3, 3)
    actual = compare_faces(rows.slice(2), rows.slice(0, rows.num_rows - 1))
    assert (actual.gone, actual.added) == (1, 2)
    transforms = np.array(rows["transform"].to_pylist(), np.float32)
    transforms[4, 2] += 2.0
    column = pa.array(list(transforms), rows.schema.field("transform").type)
    actual = compare_faces(
        rows, rows.set_column(rows.schema.get_field_index("transform"), "transform", column)
    )
    assert (actual.moved, actual.laid_out, actual.is_same) == (0, 1, False)


def test_clips_without_a_common_frame_are_compared():
    import pyarrow as pa

    from fgbench.publication.face_comparison import FaceChange, compare_faces

    def rows(*frames):
        n = len(frames)
        return pa.table(
            {
                "frame_index": list(frames),
                "status": ["ok"] * n,
                "box_xyxy": [[0.0] * 4] * n,
                "landmarks": [[0.0] * 136] * n,
                "transform": [[0.0] * 6] * n,
            }
        )

    assert compare_faces(rows(0), rows(1, 2)) == FaceChange(gone=1, added=2)
