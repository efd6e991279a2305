"""Any frozen network of the user's, its features classified under the benchmark's protocol."""
