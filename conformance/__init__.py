"""Real packages and clients, unmodified; they are installed beside the project, not into it."""
