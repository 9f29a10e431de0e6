"""The Connect model over HTTP: installing, lifecycle, pages, and what an app may ask."""
