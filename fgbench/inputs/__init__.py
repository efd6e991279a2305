"""From manifests to tensors: pictures, frames, crops, batches."""
