"""Networks of images: MSAU-Net and its ablations."""
