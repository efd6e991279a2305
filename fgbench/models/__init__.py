"""Networks: plain PyTorch modules, independent of files, data sets and training."""
