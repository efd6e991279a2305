"""Pictures and videos: kinds of files, their frames, their faults."""
