"""What libraries raise while a file is read becomes one clear error."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from fgbench.errors import MediaError
from fgbench.media.decoders import pyav
from fgbench.media.faults import Deadline, clear_faults
from fgbench.media.video import open_video
from tests.support.video_files import write_clip

CLIP = Path("clip.mp4")


def opencv_error():
    cv2.resize(np.zeros((0, 0), np.uint8), (3, 3))


def ffmpeg_error():
    av.open("file:no-such-file")


def lack_of_memory():
    raise MemoryError


def no_permission():
    raise PermissionError(13, "Permission denied")


@pytest.mark.parametrize(
    ("fails", "reason"),
    [
        (lack_of_memory, "out_of_memory"),
        (opencv_error, "unreadable"),
        (ffmpeg_error, "unreadable"),
        (no_permission, "unreadable"),
    ],
)
def test_faults_name_the_file_and_a_reason(fails, reason):
    with pytest.raises(MediaError, match=r"^clip\.mp4 ") as caught, clear_faults(CLIP):
        fails()
    assert caught.value.reason == reason
    assert caught.value.hint


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), clear_faults(CLIP):
        _ = 1 // 0


def test_a_deadline_without_end():
    Deadline(CLIP, float("inf")).check()


def fail(*args, **kwargs):
    raise MemoryError


@pytest.mark.parametrize("part", ["luma", "decode"])
def test_a_lack_of_memory_while_frames_are_read(tmp_path, monkeypatch, part):
    with open_video(write_clip(tmp_path / "clip.mp4", 4)) as reader:
        monkeypatch.setattr(pyav, part, fail)
        with pytest.raises(MediaError, match=r"clip\.mp4 needs more memory than there is") as caught:
            [frame.gray() for frame in reader.frames()]
    assert caught.value.reason == "out_of_memory"


def test_a_lack_of_memory_while_a_file_is_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(pyav, "probe", fail)
    with pytest.raises(MediaError, match=r"clip\.mp4 needs more memory than there is") as caught:
        open_video(write_clip(tmp_path / "clip.mp4", 4))
    assert caught.value.reason == "out_of_memory"
