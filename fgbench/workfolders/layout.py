"""Names in a work folder that several modules read or write, each defined once."""

MANIFESTS = "manifests"
"""Folder of the manifests."""

INDEX = "index.json"
"""Index of the manifests, in their folder."""

PREVIOUS = "index.json.previous"
"""List of the files of fgbench in that folder, while the index is being replaced."""

FEATURES = "features"
"""Folder of the tables of features, in that of the manifests."""

RUNS = "runs"
"""Folder of the runs, ``runs/<experiment>/<fold>/<seed>``."""

WEIGHTS = "weights.safetensors"
"""Weights of a trained network, in the folder of its run."""

CACHE = "cache"
"""Folder of what can be computed again."""
