"""The TensorBoard log."""

import os
import sys

import pytest

from fgbench.training.log import open_log


def curve(folder):
    """Steps and values of ``train/loss``, read by TensorBoard itself."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    (path,) = folder.glob("events.out.tfevents.*")
    copy = folder.parents[1] / "copy"
    copy.write_bytes(path.read_bytes())  # TensorBoard reads no path but UTF-8 either
    return [
        (event.step, value.tensor.float_val[0])
        for event in EventFileLoader(str(copy)).Load()
        for value in event.summary.value
    ]


@pytest.mark.parametrize(
    "name",
    [
        b"plain",
        pytest.param(
            b"caf\xe9",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="other systems hold no such names"),
        ),
    ],
)
def test_curves_are_written_whatever_the_folder_is_called(tmp_path, name):
    folder = tmp_path / os.fsdecode(name) / "log"
    with open_log(folder, steps_done=0, write=True) as log:
        log.add("train", {"loss": 0.5, "gone": float("nan")}, 1)
        log.add("train", {"loss": 0.25}, 2)
        log.flush()
    assert curve(folder) == [(1, 0.5), (2, 0.25)]
