"""The fixtures of the flows: attacks are made on a whole Firebrick."""

from tests.flows.conftest import bench, cache, with_sample

__all__ = ["bench", "cache", "with_sample"]
