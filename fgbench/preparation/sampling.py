"""Choice of the frames of a clip: pure arithmetic on frame numbers."""

from __future__ import annotations


def near_key_frame(key_frame: int, n_frames: int, *, before: int, after: int, step: int) -> list[int]:
    """Frames around the key frame, in order, without those outside the clip.

    The paper takes "the frames adjacent to the key frames" (section III); how many is not stated.

    Args:
        key_frame: Frame of the climax, from 0.
        n_frames: Frames of the clip.
        before: Frames before the key frame.
        after: Frames after it.
        step: Distance between them, in frames.

    Raises:
        ValueError: If the key frame lies outside the clip.
    """
    if not 0 <= key_frame < n_frames:
        raise ValueError(f"key frame {key_frame}, but the clip has frames 0 to {n_frames - 1}")
    earlier = min(before, key_frame // step)
    later = min(after, (n_frames - 1 - key_frame) // step)
    return [key_frame + step * offset for offset in range(-earlier, later + 1)]


def uniform(n_frames: int, count: int) -> list[int]:
    """``count`` frames evenly spread: the middles of ``count`` equal parts of the clip.

    A clip with fewer frames gives all of them.
    """
    if count >= n_frames:
        return list(range(n_frames))
    return [(2 * part + 1) * n_frames // (2 * count) for part in range(count)]
