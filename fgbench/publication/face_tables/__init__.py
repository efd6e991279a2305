"""Faces of a work folder as tables in the layouts of other programs, a CSV file per clip."""
