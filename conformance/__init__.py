"""The real packages, unmodified, in the sandbox; needs Node, so it is not part of `make test`."""
