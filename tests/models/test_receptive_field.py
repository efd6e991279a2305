"""Computed receptive fields against the support of gradients, which knows nothing of the arithmetic."""

import pytest
import torch

from fgbench.config import TrunkConfig
from fgbench.models.drml import Trunk, reduce
from fgbench.models.receptive_field import Layer, geometry


def gradient_supports(trunk):
    """Rows and columns (first, last) of the 224 px face that each cell of the last map depends on.

    All weights and pixels are positive, so that no ReLU closes and no gradients cancel; the pooling looks at
    one of four pixels, which is another one in each of the images.
    """
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in trunk.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=generator) * 0.02 + 1e-3)
    images = torch.rand(3, 3, 224, 224, generator=generator, requires_grad=True)
    maps = trunk.eval()(reduce(images, trunk.input_px)).sum((0, 1))
    actual = {}
    for row in range(6):
        for column in range(6):
            (gradient,) = torch.autograd.grad(maps[row, column], images, retain_graph=True)
            touched = gradient.abs().sum((0, 1)) > 0
            rows, columns = touched.any(1).nonzero(), touched.any(0).nonzero()
            actual[row, column] = (rows.min(), rows.max(), columns.min(), columns.max())
    return {cell: tuple(int(edge) for edge in edges) for cell, edges in actual.items()}


@pytest.mark.slow
@pytest.mark.parametrize("input_px", [224, 112])
@pytest.mark.parametrize("region_layer", [True, False])
def test_units_depend_on_their_receptive_field_and_on_nothing_else(input_px, region_layer):
    config = TrunkConfig(input_px=input_px, stem=2, widths=(2, 2, 2, 1), region_layer=region_layer)
    trunk = Trunk(config)
    for cell, one in gradient_supports(trunk).items():
        x0, y0, x1, y1 = trunk.geometry.box_of(cell)
        inside = tuple(min(max(int(edge), 0), 223) for edge in (y0, y1 - 1, x0, x1 - 1))
        assert one == inside, cell


def test_literals_of_the_trunk_on_224_px():
    trunk = Trunk(TrunkConfig(stem=1, widths=(1, 1, 1, 1)))
    assert (trunk.geometry.field_px, trunk.geometry.jump_px, trunk.geometry.first_centre_px) == (
        160,
        32,
        31.5,
    )
    assert trunk.geometry.box_of((2, 3)) == (48, 16, 208, 176)  # columns 48 to 207, rows 16 to 175


def test_cells_lie_where_they_lie_on_224_px_if_the_face_is_reduced():
    small = Trunk(TrunkConfig(input_px=112, stem=1, widths=(1, 1, 1, 1))).geometry
    assert (small.jump_px, small.first_centre_px) == (32, 31.5)
    assert small.field_px == 172  # 86 px of the input


def test_layers_by_hand():
    # A 3 x 3 convolution without padding has its first centre on pixel 1; pooling by 2 moves it to 1.5.
    after = geometry((Layer(3, 1, 0), Layer(2, 2, 0)))
    assert (after.field_px, after.jump_px, after.first_centre_px) == (4, 2, 1.5)
    # On an image reduced by 2, input pixel 1.5 covers face pixels 2 to 5 together with pixel 2: centre 3.5.
    halved = geometry((Layer(3, 1, 0), Layer(2, 2, 0)), px_per_input_px=2)
    assert (halved.field_px, halved.jump_px, halved.first_centre_px) == (8, 4, 3.5)


def test_no_layers_is_the_identity():
    assert geometry(()).box_of((4, 7)) == (7, 4, 8, 5)
