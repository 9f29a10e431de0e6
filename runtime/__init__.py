"""Firebrick: a Forge-style sandboxed app runtime emulator."""

__version__ = "0.1.0"
