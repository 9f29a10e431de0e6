"""Pages and JSON for people: accounts, the developer console, administration."""
