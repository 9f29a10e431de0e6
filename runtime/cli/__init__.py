"""The `firebrick` command."""
