"""Fake files of SFEW in the layout of its owners."""

from tests.support.fake_trees import write_picture

EMOTIONS = ["Angry", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise"]
WHOLE = ("Train", "Val")
ALIGNED = ("Train_Aligned_Faces", "Val_Aligned_Faces_new")


def write_sfew(root, parts=WHOLE, *, n_films=3, size=(72, 57)):
    """A picture of every class and film; names of films have underscores, and one name is in both parts."""
    for part in parts:
        for number, emotion in enumerate(EMOTIONS):
            for film in range(n_films):
                movie = f"Film_{film}" if part == parts[0] or film == 0 else f"21_Val{film}"
                name = f"{movie}_00{number}159960_0000000{number}.png"
                write_picture(root / part / emotion / name, emotion, size=size)
    return root
