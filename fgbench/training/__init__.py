"""Training of networks: data, losses, the loop, checkpoints and the runs made of them."""
