"""Agreement of the annotators of a work folder: figures, tables, heat map, and the human ceiling."""
