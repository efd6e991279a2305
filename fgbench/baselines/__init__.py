"""Classical baselines: kernels, support vector machines and what is built on them."""
