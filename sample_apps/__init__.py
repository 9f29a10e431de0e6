"""Sample apps, and the demo that runs them."""
