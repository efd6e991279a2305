"""Choice of cells, boxes and crops against plain loops, slices and literals."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from fgbench.models.receptive_field import Geometry
from fgbench.models.zoom import boxes, crop, most_cells, strongest_cells

TRUNK = Geometry(field_px=160, jump_px=32, first_centre_px=31.5)
ALL_CELLS = [(row, column) for row in range(6) for column in range(6)]


def plainly_chosen(strength, n, radius):
    """One image, on lists: sort, take the first that is far enough, else the first not taken."""
    order = sorted(ALL_CELLS, key=lambda cell: (-strength[cell], cell))
    taken = []
    for _ in range(n):
        far = [c for c in order if all(max(abs(c[0] - t[0]), abs(c[1] - t[1])) > radius for t in taken)]
        taken.append((far or [c for c in order if c not in taken])[0])
    return taken


@pytest.mark.slow
@pytest.mark.parametrize(("n", "radius"), [(1, 1), (4, 1), (6, 1), (9, 1), (4, 2), (36, 0), (5, 0), (1, 5)])
def test_cells_are_chosen_as_by_a_plain_loop(n, radius):
    # Few different values, so that there are ties, and many images, so that some run out of cells.
    maps = torch.from_numpy(np.random.default_rng(n).integers(0, 12, (200, 3, 6, 6))).float()
    cells, strengths = strongest_cells(maps, n, radius)
    assert cells.dtype == torch.int64
    assert (cells.shape, strengths.shape) == ((200, n, 2), (200, n))
    for image in range(200):
        strength = maps[image].amax(0)
        expected = plainly_chosen(strength.numpy(), n, radius)
        assert [tuple(cell) for cell in cells[image].tolist()] == expected
        assert strengths[image].tolist() == [strength[cell].item() for cell in expected]


@pytest.mark.parametrize(("n", "radius"), [(4, 1), (4, 2), (36, 0)])
def test_later_cells_are_never_near_earlier_ones(n, radius):
    cells, _ = strongest_cells(
        torch.rand(500, 4, 6, 6, generator=torch.Generator().manual_seed(0)), n, radius
    )
    distance = (cells[:, :, None] - cells[:, None]).abs().amax(3) + 99 * torch.eye(n, dtype=torch.int64)
    assert distance.min() > radius


def test_the_strongest_left_follows_if_four_cells_block_all_others():
    maps = torch.zeros(1, 1, 6, 6)
    for rank, cell in enumerate([(1, 1), (1, 4), (4, 1), (4, 4), (0, 1), (5, 5)]):
        maps[0, 0][cell] = 10 - rank
    cells, strengths = strongest_cells(maps, 6, 1)
    assert cells[0].tolist() == [[1, 1], [1, 4], [4, 1], [4, 4], [0, 1], [5, 5]]
    assert strengths[0].tolist() == [10, 9, 8, 7, 6, 5]


@pytest.mark.parametrize("radius", [0, 1])
def test_a_smaller_number_chooses_the_first_of_a_larger_one(radius):
    maps = torch.rand(50, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    cells, strengths = strongest_cells(maps, 6, radius)
    for n in range(1, 6):
        fewer, weaker = strongest_cells(maps, n, radius)
        assert torch.equal(fewer, cells[:, :n])
        assert torch.equal(weaker, strengths[:, :n])


@pytest.mark.parametrize("cell", ALL_CELLS)
def test_a_planted_activation_is_chosen_in_any_channel(cell):
    maps = torch.rand(3, 8, 6, 6)
    for image, channel in enumerate((0, 3, 7)):
        maps[image, channel][cell] = 5.0
    cells, strengths = strongest_cells(maps, 1, 1)
    assert cells.tolist() == [[list(cell)]] * 3
    assert strengths.tolist() == [[5.0]] * 3


def test_the_choice_has_no_gradient():
    maps = torch.rand(2, 3, 6, 6, requires_grad=True)
    _, strengths = strongest_cells(maps, 2, 1)
    assert not strengths.requires_grad


@pytest.mark.parametrize(("radius", "most"), [(0, 36), (1, 9), (2, 4), (3, 4), (4, 4), (5, 1)])
def test_more_cells_than_there_can_be_are_refused(radius, most):
    assert most_cells(6, 6, radius=radius) == most
    maps = torch.zeros(1, 1, 6, 6)
    assert strongest_cells(maps, most, radius)[0].shape == (1, most, 2)
    with pytest.raises(
        ValueError, match=f"cannot choose {most + 1} of 6 x 6 cells with a radius of {radius}"
    ):
        strongest_cells(maps, most + 1, radius)


@pytest.mark.parametrize("side_px", [37, 64, 96, 160, 224])
def test_boxes_stay_square_inside_and_near_their_cell(side_px):
    actual = boxes(torch.tensor([ALL_CELLS]), TRUNK, side_px)[0]
    assert actual.dtype == torch.float32
    for (row, column), box in zip(ALL_CELLS, actual.tolist(), strict=True):
        x0, y0, x1, y1 = box
        assert (x1 - x0, y1 - y0) == (side_px, side_px)
        assert min(x0, y0) >= 0
        assert max(x1, y1) <= 224
        # Shifted no further than needed: centred wherever the box fits.
        for start, index in ((x0, column), (y0, row)):
            assert start == min(max(32 + 32 * index - side_px / 2, 0), 224 - side_px)


def test_literal_boxes():
    # Unit (2, 3) sees columns 48 to 207 and rows 16 to 175; then 96 px around its centre, and one shifted.
    assert boxes(torch.tensor([[[2, 3]]]), TRUNK, 160).tolist() == [[[48, 16, 208, 176]]]
    assert boxes(torch.tensor([[[2, 3], [0, 5]]]), TRUNK, 96).tolist() == [
        [[80, 48, 176, 144], [128, 0, 224, 96]]
    ]


def test_a_box_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="boxes of 225 px are larger than the image of 224 px"):
        boxes(torch.zeros(1, 1, 2, dtype=torch.int64), TRUNK, 225)


@pytest.mark.parametrize("out_px", [224, 112, 97])
def test_crop_is_slice_and_interpolation_in_the_interior(out_px):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(4, 3, 224, 224, generator=generator, dtype=torch.float64)
    positions = torch.tensor(
        [[48, 16, 208, 176], [0, 0, 96, 96], [100, 128, 196, 224], [30, 40, 67, 77]]
    ).double()
    got = crop(images, positions, out_px)
    for image, index, made in zip(images, positions.int().tolist(), got, strict=True):
        x0, y0, x1, y1 = index
        expected = F.interpolate(
            image[None, :, y0:y1, x0:x1], size=out_px, mode="bilinear", align_corners=False
        )
        rim = -(-out_px // (x1 - x0))
        inner = slice(rim, -rim)
        torch.testing.assert_close(made[:, inner, inner], expected[0, :, inner, inner], rtol=0, atol=2e-4)


def test_crop_of_everything_is_the_image():
    images = torch.rand(2, 3, 224, 224)
    torch.testing.assert_close(
        crop(images, torch.tensor([[0.0, 0, 224, 224]]).expand(2, -1), 224), images, rtol=0, atol=1e-4
    )


def test_crop_keeps_the_images_edge_and_half_pixels():
    # A ramp along x: the value is the pixel's index, so a sample tells its place. Half-pixel boxes (37 px).
    ramp = torch.arange(224.0).expand(1, 3, 224, 224)
    got = crop(ramp, torch.tensor([[13.5, 0.0, 50.5, 37.0]]), 37)
    torch.testing.assert_close(got[0, 0, 0], 13.5 + torch.arange(37.0), rtol=0, atol=1e-3)
    edge = crop(ramp, torch.tensor([[0.0, 0.0, 37.0, 37.0]]), 74)
    torch.testing.assert_close(edge[0, 0, 0, :3], torch.tensor([0.0, 0.25, 0.75]), rtol=0, atol=1e-3)


def test_crop_places_pixels_exactly_in_half_precision():
    columns = (torch.arange(224) % 8).to(torch.bfloat16).expand(1, 3, 224, 224)
    got = crop(columns, torch.tensor([[100.0, 100, 196, 196]]), 96)
    assert got.dtype == torch.bfloat16
    torch.testing.assert_close(got.float(), columns[:, :, 100:196, 100:196].float(), rtol=0, atol=1e-2)


def test_crop_follows_the_images_memory_format_and_gradient():
    images = torch.rand(2, 3, 224, 224, requires_grad=True)
    positions = torch.tensor([[10.0, 20, 106, 116], [0, 0, 96, 96]])
    plain = crop(images, positions, 64)
    torch.testing.assert_close(crop(images.to(memory_format=torch.channels_last), positions, 64), plain)
    (gradient,) = torch.autograd.grad(plain.sum(), images)
    assert gradient[0, :, 30:100, 20:100].abs().min() > 0
    assert gradient[0, :, :19].abs().max() == 0
