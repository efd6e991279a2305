"""Pictures and videos: what a file is, its frames and pixels, and what can be wrong with it."""
