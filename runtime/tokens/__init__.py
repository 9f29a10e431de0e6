"""The broker: mints, verifies and revokes access tokens."""
