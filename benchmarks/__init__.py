"""The budgets, measured as ratios in one run."""
