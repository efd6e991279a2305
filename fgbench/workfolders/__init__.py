"""What makes a folder a work folder: its origin, its index, its sealed files and their digests."""
