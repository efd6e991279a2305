"""Pictures and videos: kinds of files, their frames and pixels, and their faults."""
