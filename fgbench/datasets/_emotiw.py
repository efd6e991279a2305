"""Folders of the classes of the EmotiW challenges, which AFEW and SFEW share."""

FOLDERS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "sad": "sadness",
    "surprise": "surprise",
}
"""Name in small letters to label."""
