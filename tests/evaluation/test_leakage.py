"""Audits of work folders with planted leaks of every kind, and of clean ones."""

import json
import subprocess
import sys

import numpy as np
import pytest

from fgbench.audit.leak import Leak
from fgbench.audit.leaks import audit_against, audit_parts
from fgbench.audit.part_leaks import PARTNERS, dropped_clips
from fgbench.errors import ConfigError, ManifestError
from fgbench.reports.audit_page import write_report
from fgbench.runs.division_reading import read_division
from tests.support.audited_folders import CHANGES, clip_row, drawn_faces, image_rows, write_work

pytestmark = pytest.mark.slow


def faces_of(number):
    """Faces of one of twelve clips, drawn when first asked for."""
    return drawn_faces(12)[number][-1]


def clean(work, **options):
    """Three clips in each part, persons and sources apart."""
    parts = ["train"] * 3 + ["val"] * 3 + ["test"] * 3
    clips = [
        clip_row(f"c{number}", part, subject=f"s{number}", source=f"f{number}")
        for number, part in enumerate(parts)
    ]
    images = [
        row for number, part in enumerate(parts) for row in image_rows(f"c{number}", part, faces_of(number))
    ]
    return work, clips, images, options


def write(made):
    work, clips, images, options = made
    return write_work(work, clips, images, **options)


def leaks_of(audit):
    return [
        (leak.kind, leak.first_part, leak.second_part, leak.first, leak.second) for leak in audit.disallowed
    ]


def test_clean_parts_have_no_leak(tmp_path):
    audit = audit_parts(write(clean(tmp_path, group_by="subject_id")))
    assert audit.leaks == []
    assert [(pair.first, pair.second, pair.clips, pair.pictures) for pair in audit.compared] == [
        ("train", "test", (3, 3), (9, 9)),
        ("val", "test", (3, 3), (9, 9)),
        ("train", "val", (3, 3), (9, 9)),
    ]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_of_a_clip_is_a_near_duplicate(tmp_path, change):
    work, clips, images, options = clean(tmp_path)
    clips.append(clip_row("copy", "train", subject="x", source="x"))
    images += image_rows("copy", "train", [CHANGES[change](image) for image in faces_of(7)])
    audit = audit_parts(write((work, clips, images, options)))
    assert leaks_of(audit) == [("near_duplicate", "train", "test", "copy", "c7")]
    (leak,) = audit.disallowed
    assert leak.correlation >= 0.95
    assert leak.pictures[0].startswith("copy-f")
    assert ("mirrored" in leak.detail) == (change in ("mirrored", "all at once"))


def test_equal_files_and_equal_pictures_are_told_once_by_their_strongest_kind(tmp_path):
    work, clips, images, options = clean(tmp_path)
    clips += [clip_row("file", "train", subject="x", source="x", sha256="c6")]
    images += image_rows("file", "train", faces_of(6))
    clips += [clip_row("picture", "val", subject="y", source="y")]
    images += image_rows("picture", "val", faces_of(6))
    audit = audit_parts(write((work, clips, images, options)))
    assert leaks_of(audit) == [
        ("same_file", "train", "test", "file", "c6"),
        ("same_picture", "train", "val", "file", "picture"),
        ("same_picture", "val", "test", "picture", "c6"),
    ]
    assert audit.disallowed[2].detail == "3 pairs of pictures have equal pixels"


def folded(work, n_folds=3, **protocol):
    """Nine clips of nine persons in three folds, all in one part."""
    parts = ["train"] * 9
    clips = [clip_row(f"c{n}", part, subject=f"s{n}", source=f"f{n}") for n, part in enumerate(parts)]
    images = [row for n, part in enumerate(parts) for row in image_rows(f"c{n}", part, faces_of(n))]
    described = {"kind": "k-fold", "folds": n_folds, "group_by": "subject_id", **protocol}
    return work, clips, images, {"protocol": described}


def test_each_fold_is_compared_with_the_others(tmp_path):
    audit = audit_parts(write(folded(tmp_path / "clean")))
    assert (audit.leaks, audit.n_comparisons, audit.folder.apart) == ([], 3, "subject_id")
    assert audit.n_pairs == 27
    assert [(pair.first, pair.second) for pair in audit.compared] == [
        ("fold 1", "fold 2"),
        ("fold 1", "fold 3"),
        ("fold 2", "fold 3"),
    ]
    work, clips, images, options = folded(tmp_path / "evil")
    fold_of = read_division(tmp_path / "clean", {"protocol": options["protocol"]}).fold_of
    other = next(name for name, fold in fold_of.items() if fold != fold_of["c0"])
    images = [row for row in images if row["clip_id"] != other]
    images += image_rows(other, "train", [np.ascontiguousarray(np.rot90(face)) for face in faces_of(0)])
    (leak,) = audit_parts(write((work, clips, images, options))).disallowed
    assert (leak.kind, {leak.first, leak.second}) == ("near_duplicate", {"c0", other})
    assert {leak.first_part, leak.second_part} == {f"fold {fold_of[name]}" for name in ("c0", other)}


def test_of_nothing_nothing_is_said(tmp_path):
    """Without folds and with one part alone there is nothing to compare."""
    work, clips, images, _ = folded(tmp_path / "one")
    done = audited(write((work, clips, images, {})))
    assert done.returncode == 0, done.stderr
    assert "no leak was found" not in done.stdout
    assert "nothing was compared" in done.stdout
    page = (tmp_path / "one/audit/audit.html").read_text()
    assert "No leak was found" not in page
    assert "Nothing was compared" in page
    folds = audited(write(folded(tmp_path / "folds")))
    assert "3 folds, each compared with the others: 9 clips, 27 pictures" in folds.stdout
    assert "no leak was found in 3 comparisons of two folds (27 pairs of clips)" in folds.stdout


def test_that_no_pictures_were_compared_is_said(tmp_path):
    """As of data sets with action units alone, which have no image set."""
    work, clips, images, options = folded(tmp_path / "bare")
    bare = audited(write((work, clips, [], options)))
    assert "no leak was found in 3 comparisons" in bare.stdout
    assert "no pictures were compared, since no two parts have some" in bare.stdout
    assert "No pictures were compared" in (work / "audit/audit.html").read_text()
    with_pictures = audited(write((tmp_path / "full", clips, images, options)))
    assert "no pictures were compared" not in with_pictures.stdout
    assert "No pictures were compared" not in (tmp_path / "full/audit/audit.html").read_text()


def test_every_partner_of_an_equal_file_is_listed(tmp_path):
    work, clips, images, options = clean(tmp_path)
    clips.append(clip_row("file", "train", subject="x", source="x", sha256="c6"))
    images += image_rows("file", "train", faces_of(6))
    names = [f"twin{number:03d}" for number in range(60)]
    clips += [clip_row(name, "test", subject=name, source=name, sha256="c6") for name in names]
    audit = audit_parts(write((work, clips, images, options)))
    leak = next(leak for leak in audit.disallowed if leak.kind == "same_file")
    assert (leak.first, leak.second, leak.n_partners) == ("file", "c6", 61)
    assert list(leak.partners) == ["c6", *names[: PARTNERS - 1]]
    _, page = write_report(audit)
    assert f"{names[PARTNERS - 2]} and {61 - PARTNERS} more" in page.read_text()


def test_the_same_pixels_in_another_encoding_are_the_same_picture(tmp_path):
    from fgbench.media.images import decode, encode

    work, clips, images, options = clean(tmp_path)
    clips.append(clip_row("png", "train", subject="x", source="x"))
    (row, *_) = image_rows("png", "train", faces_of(8)[:1])
    row["image"]["bytes"] = encode(
        decode(image_rows("c8", "test", faces_of(8))[0]["image"]["bytes"]), "png", 0
    )
    audit = audit_parts(write((work, clips, [*images, row], options)))
    assert leaks_of(audit) == [("same_picture", "train", "test", "png", "c8")]


@pytest.mark.parametrize(
    ("group_by", "leaking"), [("clip_id", []), ("subject_id", ["subject"]), ("source_id", ["source"])]
)
def test_shared_subjects_and_sources_are_leaks_where_the_recipe_keeps_them_apart(tmp_path, group_by, leaking):
    work, clips, images, options = clean(tmp_path, group_by=group_by)
    clips[0].update(subject_id="s8", source_id="f7")
    clips[1].update(subject_id=None)
    audit = audit_parts(write((work, clips, images, options)))
    assert [leak.kind for leak in audit.disallowed] == [f"same_{what}" for what in leaking]
    assert {(leak.kind, leak.first, leak.first_clips) for leak in audit.leaks} == {
        ("same_subject", "s8", ("c0",)),
        ("same_source", "f7", ("c0",)),
    }
    assert audit.compared[0].without_subject == (1, 0)


def copy_of(row, name, **changes):
    return {**row, "image_id": name, "parent_id": row["image_id"], **changes}


def test_copies_away_from_their_original_and_orphans_are_leaks(tmp_path):
    work, clips, images, options = clean(tmp_path)
    images += [
        copy_of(images[0], "good"),
        copy_of(images[0], "away", split="test"),
        copy_of(images[1], "orphan", parent_id="nowhere"),
    ]
    audit = audit_parts(write((work, clips, images, options)))
    assert leaks_of(audit) == [
        ("parent_elsewhere", "test", "train", "away", "c0-f00000"),
        ("parent_missing", "train", "", "orphan", "nowhere"),
    ]


def test_a_clip_in_two_parts_is_a_leak(tmp_path):
    work, clips, images, options = clean(tmp_path)
    clips.append({**clips[8], "split": "train"})
    images[0]["split"] = "val"
    audit = audit_parts(write((work, clips, images, options)))
    kinds = [leak for leak in leaks_of(audit) if leak[0] == "same_clip"]
    assert kinds == [
        ("same_clip", "train", "test", "c8", "c8"),
        ("same_clip", "val", "train", "c0", "c0"),
    ]


def test_pictures_of_an_unknown_clip_are_an_error(tmp_path):
    work, clips, images, options = clean(tmp_path)
    with pytest.raises(ManifestError, match=r"'c0', which is not in clips\.parquet"):
        audit_parts(write((work, clips[1:], images, options)))


def test_unreadable_and_empty_pictures_are_told(tmp_path):
    work, clips, images, options = clean(tmp_path)
    images[0]["image"] = {"bytes": b"x", "path": "x.jpg"}
    images += image_rows("c0", "train", [faces_of(0)[0]] * 3 + [np.zeros((64, 64, 3), np.uint8)])[3:]
    audit = audit_parts(write((work, clips, images, options)))
    assert (audit.unreadable, audit.flat, audit.leaks) == (["c0-f00000"], 1, [])


def test_overlap_of_two_folders(tmp_path):
    tested = write(clean(tmp_path / "test", dataset="tested"))
    clips = [clip_row(f"p{number}", "train", subject=f"s{number}") for number in range(3)]
    clips.append(clip_row("elsewhere", "test"))
    images = [
        *image_rows("p0", "train", faces_of(10)),
        *image_rows("p1", "train", [CHANGES["all at once"](image) for image in faces_of(8)]),
        *image_rows("p2", "train", faces_of(0)),  # in the training part of the other: no harm
        *image_rows("elsewhere", "test", faces_of(7)),  # not learned from
    ]
    work = write_work(tmp_path / "pretraining", clips, images, dataset="other")
    audit = audit_against(work, tested)
    assert leaks_of(audit) == [("near_duplicate", "train", "test of tested", "p1", "c8")]
    # The same names of subjects mean nothing in another data set.
    assert len(audit.leaks) == 1
    same = write_work(tmp_path / "same", clips, images, dataset="tested", group_by="subject_id")
    clips[0]["subject_id"] = "s8"
    named = write_work(tmp_path / "named", clips, images, dataset="tested", group_by="subject_id")
    assert [leak.kind for leak in audit_against(same, tested).disallowed] == ["near_duplicate"]
    assert [leak.kind for leak in audit_against(named, tested).disallowed] == [
        "near_duplicate",
        "same_subject",
    ]
    with pytest.raises(ConfigError, match="the audited folder itself"):
        audit_against(tested, tested)


def test_no_folder_is_an_error(tmp_path):
    with pytest.raises(ManifestError, match="no complete manifests"):
        audit_parts(tmp_path)


def test_what_is_dropped_is_never_of_the_test_part():
    def leak(kind, parts, ids, allowed=False):
        return Leak(
            kind=kind,
            first_part=parts[0],
            second_part=parts[1],
            first=ids[0],
            second=ids[1],
            allowed=allowed,
            detail="x",
            first_clips=(ids[0],),
        )

    leaks = [
        leak("near_duplicate", ("train", "val"), ("a", "b")),
        leak("same_file", ("train", "test"), ("a", "c")),
        leak("same_picture", ("val", "test"), ("b", "c")),
        leak("same_subject", ("train", "test"), ("d", "c"), allowed=True),
    ]
    assert dropped_clips(leaks) == {
        "a": ("same_file", "c in test: x"),
        "b": ("same_picture", "c in test: x"),
    }


EVIL = '<script>alert("1")</script>&'


def evil(work):
    _, clips, images, options = clean(work, dataset=EVIL)
    clips.append(clip_row(EVIL, "train", subject=EVIL, source=EVIL))
    clips[8].update(subject_id=EVIL, label=EVIL)
    rows = image_rows("x", "train", [CHANGES["cropped"](image) for image in faces_of(8)])
    images += [{**row, "clip_id": EVIL, "image_id": f"{EVIL}{row['image_id']}"} for row in rows]
    return write((work, clips, images, options))


def test_the_page_shows_pairs_escapes_names_and_needs_no_network(tmp_path):
    data, page = write_report(audit_parts(evil(tmp_path)))
    text = page.read_text(encoding="utf-8")
    assert text.count('src="data:image/jpeg;base64,') == 2
    assert text.count("<img ") == 2
    assert "<script" not in text.lower()
    assert "&lt;script&gt;" in text
    assert "http:" not in text
    assert "https:" not in text
    assert "drawn faces" in text
    assert EVIL in json.loads(data.read_text(encoding="utf-8"))["leaks"][0]["first"]


def test_the_page_is_well_formed_and_names_every_picture(tmp_path):
    from html.parser import HTMLParser

    stack, images = [], []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag == "img":
                images.append(dict(attrs))
            if tag not in ("img", "meta"):
                stack.append(tag)

        def handle_endtag(self, tag):
            assert stack.pop() == tag

    _, page = write_report(audit_parts(evil(tmp_path)))
    Reader().feed(page.read_text(encoding="utf-8"))
    assert stack == []
    assert [image["alt"].split(":")[0] for image in images] == ["train", "test"]


def test_the_page_shows_no_more_pairs_than_wanted_and_counts_the_rest(tmp_path):
    work, clips, images, options = clean(tmp_path)
    for number in range(3):
        clips.append(clip_row(f"copy{number}", "train", subject="x", source="x"))
        images += image_rows(f"copy{number}", "train", faces_of(6 + number), quality=40)
    audit = audit_parts(write((work, clips, images, options)))
    _, page = write_report(audit, shown=1)
    text = page.read_text(encoding="utf-8")
    assert text.count("<img ") == 2
    assert "The 1 worst with pictures; 2 more are not shown." in text
    assert "copy0" in text
    assert "copy2" in text


def audited(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "fgbench", "audit", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_command_exits_with_0_without_and_with_11_with_leaks(tmp_path):
    good = audited(write(clean(tmp_path / "good")), "--json")
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["n_leaks"] == 0
    bad = audited(evil(tmp_path / "bad"))
    assert bad.returncode == 11
    assert "no leak was found" not in bad.stdout
    assert "clips with nearly equal faces  train, test      1        0" in bad.stdout
    assert "1 leak in" in bad.stderr
    assert "--drop-leaks" in bad.stderr
    assert (tmp_path / "bad" / "audit" / "audit.html").is_file()
    over = audited(tmp_path / "bad", "--against", tmp_path / "good", "--json", "--jobs", 1)
    assert over.returncode == 11
    assert {leak["kind"] for leak in json.loads(over.stdout)["leaks"]} == {"near_duplicate"}
