"""From pages to pictures: a data set drawn with votes is prepared, selected from, and prepared again."""

import pyarrow.parquet as pq
import pytest

import fgbench
from tests.support.drawn_votes import prepared, write_voted

pytestmark = pytest.mark.slow


def originals(work):
    """Clip and frame of the pictures of the image set, without augmented copies."""
    columns = ["clip_id", "frame_index", "parent_id"]
    rows = pq.read_table(work / "manifests/images", columns=columns).to_pylist()
    return {(row["clip_id"], row["frame_index"]) for row in rows if row["parent_id"] is None}


def test_the_image_set_is_what_was_confirmed(tmp_path):
    """And the frames that were struck out are offered again, so that a second look may take them."""
    root = write_voted(tmp_path / "data")
    work = prepared(root, tmp_path / "work")
    offered = originals(work)
    pages = fgbench.export_frames(work, tmp_path / "pages")
    assert pages.frames == len(offered)
    chosen = sorted(offered)
    confirmed, struck = set(chosen[::2]), set(chosen[1::2])
    table = tmp_path / "selection.csv"
    rows = [f"{clip},{frame},ada,{'bob' if (clip, frame) in confirmed else ''}\n" for clip, frame in chosen]
    table.write_text("clip,frame,selected_by,inspected_by\n" + "".join(rows))
    actual = fgbench.import_selection(table, work)
    assert (actual.frames, actual.struck, actual.rejected) == (len(confirmed), len(struck), ())
    prepared(root, work)
    assert originals(work) == confirmed
    assert fgbench.export_frames(work, tmp_path / "pages").frames == len(offered)
