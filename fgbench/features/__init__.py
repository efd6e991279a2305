"""Features of images and clips: one module per feature; modules with a leading underscore are their parts."""
