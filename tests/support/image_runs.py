"""Single runs of image models."""

from fgbench.methods.msau import run as image_run


def run_one(config, context, weights=None):
    (folder,) = image_run.run(config, context, weights)
    return folder
