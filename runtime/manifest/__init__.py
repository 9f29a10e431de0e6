"""`manifest.yml` becomes a frozen `Manifest`, or a list of located problems."""
