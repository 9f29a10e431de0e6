"""``python -m runtime.cli``: the ``firebrick`` command without its script."""

from runtime.cli.main import main

main()
