"""Composition root: settings, wiring, the HTTP surface."""
