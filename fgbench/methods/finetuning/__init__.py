"""Networks of the user's that are trained on: whole, their last blocks, or adapters beside their weights."""
