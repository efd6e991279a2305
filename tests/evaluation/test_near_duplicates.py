"""Near duplicates: copies are found whatever became of them, and different clips are told apart."""

import numpy as np
import pytest
from audited_folders import CHANGES, cropped, drawn_clips, drawn_faces, face

from fgbench.evaluation.audited_pictures import StoredPicture, describe
from fgbench.evaluation.duplicate_alignment import Match, aligned_correlation
from fgbench.evaluation.duplicate_search import MIN_CORRELATION, near_duplicates
from fgbench.evaluation.perceptual_hash import (
    MIRROR,
    WINDOWS,
    evened,
    filled,
    hashes,
    is_flat,
    thumbnail,
)
from fgbench.images import encode

CLIPS = 66


def described(clips, quality=95, **options):
    pictures = (
        StoredPicture(f"{name}-f{number}", name, encode(image, "jpeg", quality))
        for name, images in clips
        for number, image in enumerate(images)
    )
    return describe(pictures, **options)


@pytest.fixture(scope="module")
def originals():
    return described((name, faces) for name, _, _, faces in drawn_faces(CLIPS))


@pytest.mark.parametrize("change", CHANGES)
def test_copies_of_faces_are_found_and_no_others(originals, change):
    if change == "brighter":  # frames are: what lies outside of them is black in the face all the same
        copies = described(
            (name, [face(CHANGES[change](f), p) for f, p in zip(frames, points, strict=True)])
            for name, _, _, frames, points in drawn_clips(CLIPS)
        )
    else:
        copies = described(
            (name, [CHANGES[change](image) for image in faces]) for name, _, _, faces in drawn_faces(CLIPS)
        )
    pairs = [
        (copies.clip_ids[near.second], originals.clip_ids[near.first])
        for near in near_duplicates(originals, copies)
    ]
    true = sum(one == other for one, other in pairs)
    assert true >= 0.95 * CLIPS
    # Of 66 x 65 pairs of different clips none: no more than one in 10,000 pairs of pictures is far more.
    assert len(pairs) == true


def test_copies_aligned_by_other_landmarks_are_found():
    clips = [
        (
            name,
            [
                face(cropped(f, 0.05, 0.05, 0, 0), p_of(p), jitter_px=1.5, seed=7)
                for f, p in zip(fs, ps, strict=True)
            ],
        )
        for name, _, _, fs, ps in drawn_clips(CLIPS)
    ]
    originals = described((name, faces) for name, _, _, faces in drawn_faces(CLIPS))
    near = near_duplicates(originals, described(clips))
    assert [originals.clip_ids[one.first] for one in near] == sorted(name for name, *_ in drawn_clips(CLIPS))


def p_of(points):
    """Landmarks of a 480 x 360 frame after its left and upper 5 % were cut off and it was enlarged."""
    return (points - np.array([0.05 * 480, 0.05 * 360])) / 0.95


def test_clips_of_one_set_are_not_near_duplicates_of_each_other(originals):
    pairs = [
        (originals.clip_ids[near.first], originals.clip_ids[near.second])
        for near in near_duplicates(originals, originals)
    ]
    assert all(one == other for one, other in pairs)
    assert len(pairs) == CLIPS


def test_threads_and_blocks_change_nothing(originals, monkeypatch):
    copies = described(
        ((name, [CHANGES["cropped"](image) for image in faces]) for name, _, _, faces in drawn_faces(CLIPS)),
        jobs=3,
    )
    one = near_duplicates(originals, copies)
    monkeypatch.setattr("fgbench.evaluation.duplicate_search._BLOCK", 7 * len(originals))
    assert near_duplicates(originals, copies, jobs=3) == one
    again = described(
        (name, [CHANGES["cropped"](image) for image in faces]) for name, _, _, faces in drawn_faces(CLIPS)
    )
    assert again.image_ids == copies.image_ids
    assert again.digests == copies.digests
    assert np.array_equal(again.hashes, copies.hashes)


def test_pictures_of_clips_stand_together_whatever_their_order(originals):
    rows = [
        StoredPicture(f"{name}-f{number}", name, encode(image, "jpeg", 95))
        for name, _, _, faces in drawn_faces(CLIPS)
        for number, image in enumerate(faces)
    ]
    order = np.random.default_rng(0).permutation(len(rows))
    shuffled = describe(rows[place] for place in order)
    assert shuffled.image_ids == originals.image_ids == sorted(originals.image_ids)


def test_the_hash_of_a_mirrored_picture_is_the_hash_with_turned_bits():
    image = drawn_faces(CLIPS)[0][3][0]
    thumb = thumbnail(image)
    words = hashes(evened(thumb, filled(thumb)))
    mirrored = np.ascontiguousarray(thumb[:, ::-1])
    turned = hashes(evened(mirrored, filled(mirrored)))
    differing = np.bitwise_count(words[0] ^ MIRROR ^ turned[0]).sum()
    assert differing <= 4  # rounding at frequencies of next to no strength
    # A window at the left becomes one at the right.
    left = WINDOWS.index(next(w for w in WINDOWS if w[:2] == (0.0, 0.0) and w[2] < 1))
    right = WINDOWS.index((1.0 - WINDOWS[left][2], 0.0, WINDOWS[left][2]))
    assert np.bitwise_count(words[left] ^ MIRROR ^ turned[right]).sum() <= 4


def test_the_transform_is_the_cosine_transform():
    import cv2
    from scipy.fft import dctn

    thumb = thumbnail(drawn_faces(CLIPS)[1][3][0])
    even = evened(thumb, filled(thumb))
    grid = cv2.resize(even, (32, 32), interpolation=cv2.INTER_LINEAR).astype(np.float64)
    bits = dctn(grid, type=2)[:16, :16] > 0
    bits[0, 0] = False
    found = np.unpackbits(hashes(even)[0].astype("<u8").view(np.uint8), bitorder="little").reshape(16, 16)
    assert (bits != found).mean() < 0.01


def test_black_fill_at_the_edge_does_not_count():
    image = drawn_faces(CLIPS)[2][3][0]
    covered = image.copy()
    covered[:, :34] = 0
    one, other = thumbnail(image), thumbnail(covered)
    assert filled(other)[:, :8].all()
    assert aligned_correlation(one, other, Match(0, 0, False)) > 0.99


def test_what_is_not_a_copy_does_not_agree():
    faces = drawn_faces(CLIPS)
    one, other = thumbnail(faces[0][3][0]), thumbnail(faces[1][3][0])
    assert aligned_correlation(one, other, Match(0, 0, False)) < MIN_CORRELATION
    assert aligned_correlation(one, one, Match(0, 0, False)) == pytest.approx(1.0)


def test_pictures_that_show_nothing_are_not_compared():
    black = [("a", [np.zeros((224, 224, 3), np.uint8)]), ("b", [np.full((224, 224, 3), 120, np.uint8)])]
    found = described(black)
    assert found.flat.all()
    assert is_flat(found.thumbs[0])
    assert near_duplicates(found, found) == []


def test_damaged_pictures_are_told_and_left_out():
    good = encode(drawn_faces(CLIPS)[0][3][0], "jpeg", 95)
    rows = [
        StoredPicture("a-1", "a", good),
        StoredPicture("a-2", "a", b"no picture"),
        StoredPicture("b", "b", b""),
    ]
    found = describe(rows)
    assert (found.image_ids, found.unreadable) == (["a-1"], ["a-2", "b"])
