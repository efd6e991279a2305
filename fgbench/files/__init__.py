"""Files as such: regular ones only, their digests, temporary names, and errors of writing in words."""
