"""Data sets and networks to and from a repository of the Hugging Face Hub, or of a server like it."""
