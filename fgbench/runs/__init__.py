"""What lies in a run's folder: results, predictions, weights, and which samples a run trains on and tests."""
