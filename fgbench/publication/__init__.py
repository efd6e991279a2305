"""Publishing data sets without pictures, rebuilding them from the clips, and comparing two of them."""
