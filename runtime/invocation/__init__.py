"""Module to function, context, run, result and logs."""
