"""Training of networks: losses, the loop, optimisers, checkpoints and processes."""
