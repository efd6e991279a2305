"""Files of ELAN and Praat: what is read, what is refused before pympi sees it."""

import builtins
import random
from contextlib import suppress

import pytest

from fgbench.annotation.elan import read_elan
from fgbench.annotation.praat import read_praat
from fgbench.annotation.timelines import Medium, Span
from fgbench.errors import DatasetError, DependencyError
from tests.support.timelines import textgrid, write_eaf

LABELS = [(0.0, 1.2, "anger"), (1.5, 2.04, 'wrath "loud" & <öde>')]
MARKS = [(0.4, 0.44, "apex")]


def test_elan_tiers_annotators_media_and_times(tmp_path):
    path = write_eaf(
        tmp_path / "a.eaf",
        {"label@ann": LABELS, "key_frame@ann": MARKS, "notes": [(-1, -1, "no time"), (0.0, 0.1, "x")]},
        annotators={"label@ann": "Ann"},
        media="my film.mp4",
    )
    actual = read_elan(path)
    assert [one.name for one in actual.media] == ["my film.mp4", "///C:/Users/anna/my film.mp4"]
    assert [tier.name for tier in actual.tiers] == ["label@ann", "key_frame@ann", "notes"]
    assert [tier.annotator for tier in actual.tiers] == ["Ann", "", ""]
    assert actual.tiers[0].spans == tuple(Span(*one) for one in LABELS)
    assert (actual.tiers[2].spans, actual.tiers[2].n_untimed) == ((Span(0.0, 0.1, "x"),), 1)


def test_the_participant_is_the_annotator_where_none_is_named_and_a_recording_has_its_time_origin(tmp_path):
    path = write_eaf(
        tmp_path / "a.eaf",
        {"label": [(0.0, 1.0, "anger")]},
        annotators={"label": "P1"},
        attribute="PARTICIPANT",
        origin_ms=2500,
    )
    actual = read_elan(path)
    (tier,) = actual.tiers
    assert (tier.annotator, tier.spans) == ("P1", (Span(0.0, 1.0, "anger"),))
    assert {one.origin_s for one in actual.media} == {2.5}
    assert tier.spans[0].later(2.5) == Span(2.5, 3.5, "anger")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"doctype": '<!DOCTYPE x [<!ENTITY a "aaaa">]>\n'}, "document type"),
        ({"doctype": '<!DOCTYPE x SYSTEM "file:///etc/passwd">\n'}, "document type"),
        ({"units": "PAL-frames"}, "counts its time in PAL-frames, expected milliseconds"),
    ],
)
def test_elan_files_that_are_refused(tmp_path, changes, message):
    path = write_eaf(tmp_path / "a.eaf", {"label": LABELS}, **changes)
    with pytest.raises(DatasetError, match=message):
        read_elan(path)


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ('ANNOTATION_ID="a2"', 'ANNOTATION_ID="a1"', "ANNOTATION_ID 'a1'"),
        ('TIER_ID="key_frame"', 'TIER_ID="label"', "TIER_ID 'label'"),
        ('TIME_SLOT_ID="ts3"', 'TIME_SLOT_ID="ts1"', "TIME_SLOT_ID 'ts1'"),
    ],
)
def test_two_elements_of_one_identifier_are_refused(tmp_path, one, other, name):
    """pympi keeps the last of them: an answer would be lost in silence."""
    path = write_eaf(tmp_path / "a.eaf", {"label": LABELS, "key_frame": MARKS})
    text = path.read_text(encoding="utf-8")
    assert one in text
    path.write_text(text.replace(one, other), encoding="utf-8")
    with pytest.raises(DatasetError, match=f"two elements of the {name}") as caught:
        read_elan(path)
    assert "save it anew" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "refused as XML"),
        ("<html></html>", "its root is html, expected ANNOTATION_DOCUMENT"),
        ("<ANNOTATION_DOCUMENT VERSION='3.0'></ANNOTATION_DOCUMENT>", "no ELAN file: it lacks [A-Za-z]+"),
        ("not xml", "refused as XML"),
    ],
)
def test_other_files_are_no_elan_files(tmp_path, text, message):
    path = tmp_path / "a.eaf"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        read_elan(path)
    with pytest.raises(DatasetError):
        read_elan(tmp_path / "absent.eaf")
    with pytest.raises(DatasetError):
        read_elan(tmp_path)


@pytest.mark.parametrize("is_short", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_praat_in_every_form_and_encoding(tmp_path, is_short, encoding, ends):
    tiers = {"label@ann": LABELS, "key_frame@ann": [(0.4, 0.4, ""), (1.7, 1.7, "apex\nof it")]}
    text = textgrid(tiers, 3.0, is_short=is_short).replace("\n", ends)
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path = tmp_path / "film.TextGrid"
    path.write_bytes(mark + text.encode(encoding))
    actual = read_praat(path)
    assert actual.media == (Medium(name="film"),)
    assert [tier.name for tier in actual.tiers] == ["label@ann", "key_frame@ann"]
    assert actual.tiers[0].spans == tuple(Span(*one) for one in LABELS)
    assert actual.tiers[1].spans == (Span(0.4, 0.4, ""), Span(1.7, 1.7, "apex\nof it"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (("1.2", "1.2e-05"), "number '1.2e-05', expected a plain decimal"),
        (("xmin = 0 ", "xmin = -0.5 "), "number '-0.5'"),
        (('"anger"', '"anger'), "text that does not end|no whole TextGrid"),
        (('"anger"', '"' + 60 * "\n" + '"'), "text of more than 50 lines"),
        (("size = 1 ", "size = 1000000 "), "no whole TextGrid"),
        (("ooTextFile", "ooOther"), "is no TextGrid"),
        (('"TextGrid"', '"Sound"'), "is no TextGrid"),
    ],
)
def test_textgrids_that_are_refused(tmp_path, changed, message):
    text = textgrid({"label": [(0.0, 1.2, "anger")]}, 3.0)
    assert changed[0] in text
    path = tmp_path / "a.TextGrid"
    path.write_text(text.replace(*changed), encoding="utf-8")
    with pytest.raises(DatasetError, match=message):
        read_praat(path)


def test_binary_and_odd_bytes_are_refused(tmp_path):
    path = tmp_path / "a.TextGrid"
    path.write_bytes(b"ooBinaryFile\x08TextGrid" + bytes(40))
    with pytest.raises(DatasetError, match="binary TextGrid, expected text"):
        read_praat(path)
    path.write_bytes(b'File type = "ooTextFile"\xff\n')
    with pytest.raises(DatasetError, match="neither UTF-8 nor UTF-16"):
        read_praat(path)


def test_damaged_files_give_errors_of_ours_alone(tmp_path):
    eaf = write_eaf(tmp_path / "a.eaf", {"label": LABELS, "key_frame": MARKS}).read_bytes()
    grid = textgrid({"label": LABELS, "key_frame": [(0.4, 0.4, "x")]}, 3.0).encode()
    draw = random.Random(4)
    for number in range(120):
        for data, read in ((eaf, read_elan), (grid, read_praat)):
            damaged = bytearray(data)
            for _ in range(draw.randint(1, 4)):
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
            path = tmp_path / f"{number}"
            path.write_bytes(bytes(damaged[: draw.choice([None, draw.randrange(len(damaged))])]))
            with suppress(DatasetError):
                read(path)


@pytest.mark.parametrize("read", [read_elan, read_praat])
def test_without_pympi_the_error_tells_the_extra(tmp_path, monkeypatch, read):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("pympi"):
            raise ImportError(name)
        return real(name, *rest)

    path = write_eaf(tmp_path / "a.eaf", {"label": LABELS})
    if read is read_praat:
        path.write_text(textgrid({"label": LABELS}, 3.0), encoding="utf-8")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DependencyError, match="pympi-ling") as caught:
        read(path)
    assert "fgbench[annotate]" in caught.value.hint
