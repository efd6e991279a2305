"""Data sets without their pictures: published, made again from the clips, and compared with each other."""
