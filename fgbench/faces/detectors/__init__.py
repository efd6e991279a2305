"""Face detectors: one plugin per detector; see `fgbench.faces.detection` for the interface."""
