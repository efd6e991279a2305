"""Image networks: MSAU-Net and its ablations."""
