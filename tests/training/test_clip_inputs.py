"""What the streams see: pieces in their order, mirrored flow, crops, scales, padding."""

import numpy as np
import pytest
import torch

from fgbench.errors import DatasetError
from fgbench.inputs.clip_frames import HeldRows
from fgbench.inputs.crops import CENTRE, view_table
from fgbench.inputs.frame_choice import pieces_of
from fgbench.inputs.map_views import KeptMaps
from fgbench.methods.tmsau.inputs import (
    ClipViews,
    DescribedFrames,
    PictureInput,
    Scale,
    fit_flow,
    fit_pictures,
)

CPU = torch.device("cpu")
CLIPS = [np.arange(9), np.arange(2), np.arange(0)]
NONE = torch.zeros(3, dtype=torch.bool)
BYTES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (11, 2, 20, 20), np.uint8))


def pictures(kind="flow", layout="stacks", length=3, channels=2, **more):
    usual = {
        "name": "temporal",
        "kind": kind,
        "rows": HeldRows(BYTES if channels == 2 else torch.cat((BYTES, BYTES[:, :1]), 1)),
        "pieces": pieces_of(CLIPS, length=length),
        "train_count": 2,
        "test_count": 4,
        "enlarge_to_px": 20,
        "scale": Scale(mean=(127.5,) * channels, std=(2.0,) * channels),
        "layout": layout,
        "seed": 0,
    }
    return PictureInput(**(usual | more))


def seen(stream, clips, *, epoch=None, mirrored=NONE, crop=0):
    numbers = np.array(clips)
    whole = ClipViews(crop=torch.full((len(CLIPS),), crop), mirrored=mirrored)
    stored, mask = stream.take(numbers, epoch=epoch, views=whole)
    views = ClipViews(crop=torch.full((len(clips),), crop), mirrored=mirrored[torch.from_numpy(numbers)])
    return stream.see(stored, views), mask


def test_stacks_hold_u_and_v_of_frames_that_follow_each_other():
    actual, mask = seen(pictures(), [0, 1, 2])
    assert actual.shape == (3, 4, 6, 20, 20)
    assert mask.tolist() == [[True] * 4, [True, False, False, False], [False] * 4]
    starts = [0, 2, 4, 6]  # of seven stacks, the middles of four parts
    for piece, start in enumerate(starts):
        expected = (BYTES[start : start + 3].flatten(0, 1).float() - 127.5) / 2
        torch.testing.assert_close(actual[0, piece], expected)
    short = BYTES[[9, 10, 10]].flatten(0, 1).float()
    torch.testing.assert_close(actual[1, 0], (short - 127.5) / 2)


def test_a_mirrored_stack_is_that_of_the_mirrored_clip():
    mirrored = torch.tensor([True, False, False])
    actual, _ = seen(pictures(), [0, 1], mirrored=mirrored)
    plain, _ = seen(pictures(), [0, 1])
    stack = BYTES[:3].flatten(0, 1).flip(-1)
    stack[0::2] = 255 - stack[0::2]  # u changes its sign
    expected = (stack.float() - 127.5) / 2
    torch.testing.assert_close(actual[0, 0], expected)
    torch.testing.assert_close(actual[1], plain[1])
    again = actual[0, 0].flip(-1)
    again[0::2] *= -1
    torch.testing.assert_close(again, plain[0, 0])


def test_windows_and_frames_have_the_axes_of_their_networks():
    frames, _ = seen(pictures("rgb", "frames", 1, 3), [0, 1])
    assert frames.shape == (2, 4, 3, 20, 20)
    windows, mask = seen(pictures("rgb", "windows", 3, 3), [0, 1])
    assert windows.shape == (2, 4, 3, 3, 20, 20)
    assert mask.sum() == 5
    first = torch.cat((BYTES[:3], BYTES[:3, :1]), 1).transpose(0, 1).float()
    torch.testing.assert_close(windows[0, 0], (first - 127.5) / 2)


def test_crops_are_taken_of_the_enlarged_picture_and_the_same_in_a_clip():
    stream = pictures("rgb", "frames", 1, 3, enlarge_to_px=24)
    whole = torch.nn.functional.interpolate(
        torch.cat((BYTES, BYTES[:, :1]), 1).float(), (24, 24), mode="bilinear", align_corners=False
    )
    centre, _ = seen(stream, [0])
    torch.testing.assert_close(centre[0, 0], (whole[1, :, 2:22, 2:22] - 127.5) / 2)
    corner, _ = seen(stream, [0], crop=4)
    torch.testing.assert_close(corner[0], (whole[[1, 3, 5, 7], :, 4:, 4:] - 127.5) / 2)


def test_training_takes_other_pieces_in_every_epoch_and_the_same_again():
    stream = pictures(train_count=2)
    first, mask = seen(stream, [0, 1], epoch=0)
    assert first.shape[1] == 2
    assert mask.tolist() == [[True, True], [True, False]]
    torch.testing.assert_close(first, seen(stream, [0, 1], epoch=0)[0])
    epochs = [seen(stream, [0], epoch=epoch)[0] for epoch in range(6)]
    assert any(not torch.equal(epochs[0], other) for other in epochs[1:])
    torch.testing.assert_close(seen(stream, [1, 0], epoch=0)[0][1], first[0])


def test_described_frames_come_as_they_are_kept_and_mirrored():
    kept = torch.arange(11 * 2 * 5).view(11, 2, 1, 5, 1, 1).half()
    stream = DescribedFrames(
        kept=KeptMaps(kept, device=CPU),
        views=view_table("centre", flip=True),
        pieces=pieces_of(CLIPS, length=1),
        most=None,
        seed=0,
    )
    views = ClipViews(crop=torch.zeros(3, dtype=torch.int64), mirrored=torch.tensor([False, True, False]))
    actual, mask = stream.take(np.array([1, 0, 2]), epoch=3, views=views)
    assert actual.dtype == torch.float32
    assert mask.sum(1).tolist() == [2, 9, 0]
    torch.testing.assert_close(actual[0, :2], kept[9:11, 1, 0, :, 0, 0].float())
    torch.testing.assert_close(actual[1], kept[:9, 0, 0, :, 0, 0].float())
    assert not actual[0, 2:].any()
    assert not actual[2].any()


@pytest.mark.parametrize("flip", [True, False])
def test_described_frames_are_seen_in_the_crop_of_their_clip(flip):
    """Five crops, each as it is and mirrored: number 2 c + m of what is kept, or c without mirrored ones."""
    n_views = 10 if flip else 5
    kept = torch.arange(11 * n_views).view(11, n_views, 1, 1, 1, 1).half()
    stream = DescribedFrames(
        kept=KeptMaps(kept, device=CPU),
        views=view_table("five", flip=flip),
        pieces=pieces_of(CLIPS, length=1),
        most=None,
        seed=0,
    )
    for crop in range(5):
        for mirrored in (False, True)[: 1 + flip]:
            views = ClipViews(
                crop=torch.tensor([4, crop, 0]), mirrored=torch.tensor([False, mirrored, False])
            )
            actual, _ = stream.take(np.array([1, 0]), epoch=0, views=views)
            view = 2 * crop + mirrored if flip else crop
            assert actual[0, :2, 0].tolist() == [9 * n_views + view, 10 * n_views + view]
            assert actual[1, 0, 0] == (8 if flip else 4)


def test_training_may_take_some_of_the_described_frames():
    kept = torch.arange(11.0).view(11, 1, 1, 1, 1, 1).half()
    stream = DescribedFrames(
        kept=KeptMaps(kept, device=CPU),
        views=(CENTRE,),
        pieces=pieces_of(CLIPS, length=1),
        most=3,
        seed=0,
    )
    for epoch in range(5):
        actual, mask = stream.take(np.array([0, 1]), epoch=epoch, views=ClipViews.plain(3, CPU))
        assert mask.tolist() == [[True] * 3, [True, True, False]]
        parts = actual[0, :, 0] // 3
        assert parts.tolist() == [0, 1, 2], "one frame of each third"
        assert actual[1, :2, 0].tolist() == [9, 10]
    whole, _ = stream.take(np.array([0, 1]), epoch=None, views=ClipViews.plain(3, CPU))
    assert whole.shape[1] == 9


def test_scales_are_those_of_the_bytes():
    colours = torch.cat((BYTES, BYTES[:, :1] // 2), 1)
    actual = fit_pictures(HeldRows(colours))
    values = colours.double().transpose(0, 1).flatten(1)
    np.testing.assert_allclose(actual.mean, values.mean(1), rtol=1e-12)
    np.testing.assert_allclose(actual.std, values.std(1, correction=0), rtol=1e-12)
    flow = fit_flow(HeldRows(BYTES))
    assert flow.mean == (127.5, 127.5)
    expected = (BYTES.double() - 127.5).square().mean((0, 2, 3)).sqrt()
    np.testing.assert_allclose(flow.std, expected, rtol=1e-12)


def test_nothing_to_fit_to():
    assert fit_flow(HeldRows(BYTES[:0])).std == (1.0, 1.0)
    with pytest.raises(DatasetError, match="no images"):
        fit_pictures(HeldRows(torch.zeros((0, 3, 8, 8), dtype=torch.uint8)))


def test_pictures_without_colour_are_seen_as_their_luma():
    stored = torch.cat((BYTES, BYTES[:, :1]), 1)
    weights = np.array([0.299, 0.587, 0.114], np.float32)[:, None, None]
    luma = np.rint((stored.numpy() * weights).sum(1, dtype=np.float64))[:, None].repeat(3, axis=1)
    wanted = {"kind": "rgb", "layout": "frames", "length": 1, "channels": 3}
    shown, _ = seen(pictures(**wanted, grey=True), [0])
    plain, _ = seen(pictures(**wanted, rows=HeldRows(torch.from_numpy(luma.astype(np.uint8)))), [0])
    torch.testing.assert_close(shown, plain, rtol=0, atol=0)
    coloured, _ = seen(pictures(**wanted), [0])
    assert not torch.equal(coloured, plain)


def test_flow_has_no_colour_to_lose():
    for stream in (pictures(), pictures(grey=True)):
        torch.testing.assert_close(seen(stream, [0])[0], seen(pictures(), [0])[0], rtol=0, atol=0)
