"""Engine, limits, linking and guest memory. Moves bytes, knows no product word."""
