"""Near duplicates: copies are found whatever became of them, and different clips are told apart."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fgbench.audit.alignment import Match, aligned_correlation
from fgbench.audit.duplicates import MIN_CORRELATION, near_duplicates
from fgbench.audit.hash_comparison import FURTHER, compared
from fgbench.audit.perceptual_hash import (
    ANGLES_DEG,
    IN_MIDDLE,
    MIRROR,
    N_HASHES,
    N_SCALED,
    TRANSPOSED,
    WINDOWS,
    evened,
    filled,
    hashes,
    is_flat,
    thumbnail,
)
from fgbench.audit.pictures import StoredPicture, describe
from fgbench.media.images import encode
from tests.support.audited_folders import CHANGES, cropped, drawn_clips, drawn_faces, face

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


@pytest.mark.slow
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


def moved(image, matrix, border):
    return cv2.warpAffine(image, matrix, (224, 224), borderMode=BORDERS[border])


def tilted(image, angle, border):
    return moved(image, cv2.getRotationMatrix2D((111.5, 111.5), angle, 1.0), border)


def shifted(image, right, down, border):
    matrix = np.array([[1, 0, right * 224], [0, 1, down * 224]], np.float32)
    return moved(image, matrix, border)


BORDERS = {
    "black": cv2.BORDER_CONSTANT,
    "edge": cv2.BORDER_REPLICATE,
    "mirrored": cv2.BORDER_REFLECT,
}
QUARTERS = {
    f"{90 * turns}{' mirrored' if mirrored else ''}": (turns, mirrored)
    for turns in (1, 2, 3)
    for mirrored in (False, True)
}


def found_copies(originals, change):
    """Clips of which a changed copy is found."""
    copies = described(
        (clip[0], [change(image, number) for image in clip[3]])
        for number, clip in enumerate(drawn_faces(CLIPS))
    )
    pairs = [
        (copies.clip_ids[near.second], originals.clip_ids[near.first])
        for near in near_duplicates(originals, copies)
    ]
    assert all(one == other for one, other in pairs)
    return {one for one, _ in pairs}


@pytest.mark.slow
@pytest.mark.parametrize("turned", QUARTERS)
def test_copies_turned_by_quarters_are_found(originals, turned):
    turns, mirrored = QUARTERS[turned]
    actual = found_copies(
        originals,
        lambda image, _: np.ascontiguousarray(np.rot90(image[:, ::-1] if mirrored else image, turns)),
    )
    assert len(actual) == CLIPS


def border_of(number):
    """The borders are those of the clips in turn."""
    return list(BORDERS)[number % len(BORDERS)]


@pytest.mark.slow
@pytest.mark.parametrize("angle", [-15, -8, 3, 12])
def test_copies_tilted_by_up_to_15_degrees_are_found(originals, angle):
    actual = found_copies(originals, lambda image, number: tilted(image, angle, border_of(number)))
    assert len(actual) == CLIPS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "down", "share"),
    [(0.05, 0, 0.9), (0, -0.1, 0.9), (-0.12, 0, 0.85), (0.15, 0, 0.9), (-0.15, 0.15, 0.8)],
)
def test_copies_shifted_by_up_to_15_percent_are_found(originals, right, down, share):
    """Recall is at least what docs/audit.md says; what is shifted by more is not claimed."""
    actual = found_copies(originals, lambda image, number: shifted(image, right, down, border_of(number)))
    names = [clip[0] for clip in drawn_faces(CLIPS)]
    for index, border in enumerate(BORDERS):
        of_border = names[index :: len(BORDERS)]
        assert len(actual & {*of_border}) >= share * len(of_border), border


@pytest.mark.slow
def test_every_comparison_means_what_it_is_taken_for():
    """The copy that a comparison looks for agrees, once it is laid over as the comparison says."""
    image = drawn_faces(CLIPS)[3][3][0]
    for match in FURTHER:
        copy = np.ascontiguousarray(np.rot90(image[:, ::-1] if match.mirrored else image, match.quarters))
        if match.angle_deg:
            copy = tilted(copy, match.angle_deg, "black")
        if match.is_shift:
            (left, top, _), (other_left, other_top, _) = WINDOWS[match.first], WINDOWS[match.second]
            copy = shifted(copy, other_left - left, other_top - top, "black")
        assert aligned_correlation(thumbnail(image), thumbnail(copy), match) >= MIN_CORRELATION, match


def test_bits_are_those_of_all_comparisons_by_brute_force():
    """Windows with the whole, straight and mirrored; quarters by the transposed bits; others as listed."""
    random = np.random.default_rng(3)
    rows, columns = random.integers(0, 2**63, (2, 5, N_HASHES, 4), np.uint64) & random.integers(
        0, 2**63, (2, 5, N_HASHES, 4), np.uint64
    )
    zero, ones = np.uint64(0), np.uint64(2**64 - 1)
    upside, none = np.array([zero, zero, ones, ones]), np.zeros(4, np.uint64)
    both = MIRROR ^ upside
    comparisons = [
        (code, *pair, mask)
        for window in range(N_SCALED)
        for side, pair in enumerate([(0, window), (window, 0)])
        for code, mask in ((4 * window + 2 * side, none), (4 * window + 2 * side + 1, MIRROR))
        if (side, window) != (1, 0)
    ]
    turned = [(TRANSPOSED, upside), (0, both), (TRANSPOSED, MIRROR), (TRANSPOSED, none), (0, upside)]
    comparisons += [
        (4 * N_SCALED + index, 0, column, mask)
        for index, (column, mask) in enumerate([*turned, (TRANSPOSED, both)])
    ]
    for index, match in enumerate(FURTHER[6:], start=6):
        row, column = (match.second, match.first)
        if match.angle_deg:
            row, column = IN_MIDDLE, IN_MIDDLE + 1 + ANGLES_DEG.index(match.angle_deg)
        comparisons.append((4 * N_SCALED + index, row, column, none))
    first, second = (described([("a", [drawn_faces(CLIPS)[0][3][0]])]) for _ in range(2))
    first = replace(first, hashes=columns, flat=np.zeros(5, bool))
    second = replace(second, hashes=rows, flat=np.zeros(5, bool))
    bits, passes = compared(first, second, slice(0, 5), slice(0, 5))
    for i in range(5):
        for j in range(5):
            counts = [
                (int(np.bitwise_count(rows[i, row] ^ columns[j, column] ^ mask).sum()), code)
                for code, row, column, mask in comparisons
            ]
            assert (bits[i, j], passes[i, j]) == min(counts)


@pytest.mark.slow
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


@pytest.mark.slow
def test_clips_of_one_set_are_not_near_duplicates_of_each_other(originals):
    pairs = [
        (originals.clip_ids[near.first], originals.clip_ids[near.second])
        for near in near_duplicates(originals, originals)
    ]
    assert all(one == other for one, other in pairs)
    assert len(pairs) == CLIPS


@pytest.mark.slow
def test_threads_and_blocks_change_nothing(originals, monkeypatch):
    copies = described(
        ((name, [CHANGES["cropped"](image) for image in faces]) for name, _, _, faces in drawn_faces(CLIPS)),
        jobs=3,
    )
    one = near_duplicates(originals, copies)
    monkeypatch.setattr("fgbench.audit.duplicates._BLOCK", 7 * len(originals))
    assert near_duplicates(originals, copies, jobs=3) == one
    again = described(
        (name, [CHANGES["cropped"](image) for image in faces]) for name, _, _, faces in drawn_faces(CLIPS)
    )
    assert again.image_ids == copies.image_ids
    assert again.digests == copies.digests
    assert np.array_equal(again.hashes, copies.hashes)


@pytest.mark.slow
def test_pictures_of_clips_stand_together_whatever_their_order(originals):
    rows = [
        StoredPicture(f"{name}-f{number}", name, encode(image, "jpeg", 95))
        for name, _, _, faces in drawn_faces(CLIPS)
        for number, image in enumerate(faces)
    ]
    order = np.random.default_rng(0).permutation(len(rows))
    shuffled = describe(rows[index] for index in order)
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
    from scipy.fft import dctn

    thumb = thumbnail(drawn_faces(CLIPS)[1][3][0])
    even = evened(thumb, filled(thumb))
    grid = cv2.resize(even, (32, 32), interpolation=cv2.INTER_LINEAR).astype(np.float64)
    bits = dctn(grid, type=2)[:16, :16] > 0
    bits[0, 0] = False
    reported = np.unpackbits(hashes(even)[0].astype("<u8").view(np.uint8), bitorder="little").reshape(4, 8, 8)
    result = np.zeros((16, 16), bool)
    for number, word in enumerate(reported):
        result[number // 2 :: 2, number % 2 :: 2] = word
    assert (bits != result).mean() < 0.01


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
    actual = described(black)
    assert actual.flat.all()
    assert is_flat(actual.thumbs[0])
    assert near_duplicates(actual, actual) == []


def test_damaged_pictures_are_told_and_left_out():
    good = encode(drawn_faces(CLIPS)[0][3][0], "jpeg", 95)
    rows = [
        StoredPicture("a-1", "a", good),
        StoredPicture("a-2", "a", b"no picture"),
        StoredPicture("b", "b", b""),
    ]
    actual = describe(rows)
    assert (actual.image_ids, actual.unreadable) == (["a-1"], ["a-2", "b"])
