"""The world in a file: read, checked, seeded, exported."""
