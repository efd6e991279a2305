"""Work folders: their origin, their index, their sealed files and their digests."""
