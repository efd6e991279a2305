"""Networks: plain modules in PyTorch that know nothing of files, data sets or training."""
