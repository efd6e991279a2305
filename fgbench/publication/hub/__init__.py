"""Exchange of data sets and networks with the Hugging Face Hub, or a server like it."""
