"""What tasks tell of parameters without gradients holds for the gradients of their losses."""

from itertools import product

import pytest

from tests.support.several_tasks import LOSSES, of_clips, of_images


def is_without(task, epoch):
    """Whether the loss of a batch leaves a parameter without a gradient."""
    task.model.train()
    task.model.zero_grad(set_to_none=True)
    batch = next(iter(task.batches(epoch=epoch, rank=0, world=1)))
    loss, _ = task.loss(batch, epoch=epoch)
    loss.backward()
    return any(value.grad is None for value in task.model.parameters() if value.requires_grad)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fine", "basic", "rank"), [one for one in product((0.0, 0.5), repeat=3) if any(one)]
)
@pytest.mark.parametrize("alternate", [True, False])
@pytest.mark.parametrize("stop_gradient", [True, False])
def test_of_images(fine, basic, rank, alternate, stop_gradient):
    given = {"fine": fine, "basic": basic, "rank": rank}
    task = of_images(LOSSES | given | {"alternate": alternate, "stop_gradient": stop_gradient})
    for epoch in (0, 1):
        assert task.is_sparing(epoch) == is_without(task, epoch), f"epoch {epoch}"


@pytest.mark.parametrize(("fine", "basic"), [(0.5, 0.5), (0.5, 0.0), (0.0, 0.5)])
@pytest.mark.parametrize("on", ["fused", "streams"])
def test_of_clips(fine, basic, on):
    task = of_clips(windows=True, norm=False, losses={"fine": fine, "basic": basic, "on": on})
    assert task.is_sparing(0) == is_without(task, 0) == (not fine)
