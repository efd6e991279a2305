"""The paper's tables and figures: its numbers, its methods, what stands beside them."""
