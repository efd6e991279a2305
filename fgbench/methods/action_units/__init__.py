"""Detection of action units, from which the trunk of MSAU-Net comes."""
