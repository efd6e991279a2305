"""Streams and attention of clip runs on disk."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fgbench.errors import ManifestError
from fgbench.runs.attention import ATTENTION, ClipAttention, read_attention, write_attention
from fgbench.runs.streams import STREAMS, StreamScores, read_streams, write_streams

CLASSES = ("anger", "joy", "love")


def scores(seed=0, n=6):
    generator = np.random.default_rng(seed)
    return StreamScores(
        classes=CLASSES,
        sample_ids=[f"c{number}" for number in range(n)],
        parts=["val", "test"] * (n // 2),
        labels=[CLASSES[number % 3] for number in range(n)],
        subject_ids=[None if number == 1 else f"s{number}" for number in range(n)],
        probabilities=generator.dirichlet(np.ones(3), n).astype(np.float32),
    )


def both():
    return {"spatial": scores(0), "temporal": scores(1, n=4)}


def clip(name="c0", part="test", first=(0.25, 0.75), second=(0.5, 0.5), frames=(3, 5)):
    return ClipAttention(
        sample_id=name,
        part=part,
        frames=np.array(frames, np.int32),
        first=np.array(first, np.float32),
        second=np.array(second, np.float32),
    )


def test_streams_come_back_as_they_were(tmp_path):
    write_streams(tmp_path, both())
    streams = read_streams(tmp_path)
    assert list(streams) == ["spatial", "temporal"]
    for name, given in both().items():
        for column in ("classes", "sample_ids", "parts", "labels", "subject_ids"):
            assert list(getattr(streams[name], column)) == list(getattr(given, column))
        np.testing.assert_array_equal(streams[name].probabilities, given.probabilities)


def test_columns_are_frozen(tmp_path):
    write_streams(tmp_path, both())
    write_attention(tmp_path, [clip()])
    schema = pq.read_schema(tmp_path / "streams.parquet")
    assert [f"{field.name}: {field.type}" for field in schema] == [
        "sample_id: string",
        "part: string",
        "label: string",
        "subject_id: string",
        "stream: string",
        "probabilities: fixed_size_list<element: float>[3]",
    ]
    assert schema.metadata[b"classes"] == b'["anger", "joy", "love"]'
    assert [f"{field.name}: {field.type}" for field in pq.read_schema(tmp_path / "attention.parquet")] == [
        "sample_id: string",
        "part: string",
        "frame_index: int32",
        "first: float",
        "second: float",
    ]


def test_the_order_of_rows_is_not_part_of_the_format(tmp_path):
    write_streams(tmp_path, both())
    write_attention(tmp_path, [clip(), clip("c1", frames=(0, 9))])
    for name in (STREAMS, ATTENTION):
        table = pq.read_table(tmp_path / name)
        pq.write_table(table.take(pa.array(range(table.num_rows - 1, -1, -1))), tmp_path / name)
    streams = read_streams(tmp_path)
    np.testing.assert_array_equal(streams["spatial"].of(["c2"])[0], scores(0).probabilities[2])
    attended = read_attention(tmp_path)["c0"]
    assert attended.frames.tolist() == [3, 5]
    assert attended.first.tolist() == [0.25, 0.75]


def test_clips_without_a_row_are_nan(tmp_path):
    write_streams(tmp_path, both())
    actual = read_streams(tmp_path)["temporal"].of(["c5", "c0"])
    assert np.isnan(actual[0]).all()
    np.testing.assert_array_equal(actual[1], scores(1, n=4).probabilities[0])


def test_the_same_streams_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_streams(tmp_path / name, both())
        write_attention(tmp_path / name, [clip()])
    for name in (STREAMS, ATTENTION):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parts": ["train"] * 6}, r"parts \['train'\], expected val or test"),
        ({"labels": ["fear"] * 6}, r"labels \['fear'\], expected the classes"),
        ({"sample_ids": ["c"] * 6}, "occur twice"),
        ({"subject_ids": [None] * 5}, "different lengths"),
        ({"probabilities": scores().probabilities * 2}, "do not add up to 1"),
        ({"probabilities": np.full((6, 3), np.nan, np.float32)}, "do not add up to 1"),
        ({"labels": ["joy"] * 6}, "clip 'c0' has another part, class or subject in each stream"),
        ({"classes": ("anger", "love", "joy")}, "streams of different classes"),
    ],
)
def test_streams_that_do_not_agree_are_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        write_streams(tmp_path, {"spatial": replace(scores(), **change), "temporal": scores(1)})
    assert not (tmp_path / STREAMS).exists()


def test_other_streams_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"streams \['audio'\], expected some of spatial, temporal"):
        write_streams(tmp_path, {"audio": scores()})
    with pytest.raises(ValueError, match=r"streams \[\]"):
        write_streams(tmp_path, {})


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([clip(first=(0.5, 0.6))], "weights of clip 'c0' add up to 1.1, expected 1"),
        ([clip(second=(1.5, -0.5))], "none below 0"),
        ([clip(second=(np.nan, 1.0))], "weights of clip 'c0' add up to nan"),
        ([clip(frames=(5, 3))], "do not rise"),
        ([clip(frames=(-1, 3))], "do not rise from 0"),
        ([clip(frames=(3,))], "expected one"),
        ([clip(frames=(), first=(), second=())], "expected one"),
        ([clip(part="train")], "part 'train', expected val or test"),
        ([clip(), clip()], "occurs twice"),
    ],
)
def test_attention_that_does_not_agree_is_refused(tmp_path, clips, message):
    with pytest.raises(ValueError, match=message):
        write_attention(tmp_path, clips)
    assert not (tmp_path / ATTENTION).exists()


@pytest.mark.parametrize(
    ("name", "read", "write"),
    [
        (STREAMS, read_streams, lambda folder: write_streams(folder, both())),
        (ATTENTION, read_attention, lambda folder: write_attention(folder, [clip()])),
    ],
)
def test_missing_and_damaged_files_are_refused(tmp_path, name, read, write):
    with pytest.raises(ManifestError, match=r"\.parquet is (missing|damaged)") as caught:
        read(tmp_path)
    assert "--force" in caught.value.hint
    write(tmp_path)
    whole = (tmp_path / name).read_bytes()
    table = pq.read_table(tmp_path / name)
    for data in (b"", b"PAR1 no", whole[: len(whole) // 2]):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ManifestError, match=r"\.parquet is (missing|damaged)"):
            read(tmp_path)
    pq.write_table(table.drop_columns(["part"]), tmp_path / name)
    with pytest.raises(ManifestError, match="not those of"):
        read(tmp_path)


def rewrite(path, change):
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def test_streams_with_wrong_rows_are_refused(tmp_path):
    changes = {
        r"has streams \['audio'\]": lambda rows: rows[0].update(stream="audio"),
        "occur twice": lambda rows: rows.append(rows[0]),
        "do not add up to 1": lambda rows: rows[0].update(probabilities=None),
        "parts": lambda rows: rows[0].update(part="train"),
        "no rows": lambda rows: rows.clear(),
    }
    for message, change in changes.items():
        write_streams(tmp_path, both())
        rewrite(tmp_path / STREAMS, change)
        with pytest.raises(ManifestError, match=message):
            read_streams(tmp_path)


def test_attention_with_wrong_rows_is_refused(tmp_path):
    changes = {
        "missing values": lambda rows: rows[0].update(first=None),
        "add up to": lambda rows: rows.pop(),
        "do not rise": lambda rows: rows[1].update(frame_index=3),
        "in two parts": lambda rows: rows.extend({**row, "part": "val"} for row in list(rows)),
    }
    for message, change in changes.items():
        write_attention(tmp_path, [clip()])
        rewrite(tmp_path / ATTENTION, change)
        with pytest.raises(ManifestError, match=message):
            read_attention(tmp_path)
