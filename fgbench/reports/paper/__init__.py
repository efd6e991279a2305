"""The paper's tables and figures: its numbers, its methods, and what stands beside them."""
