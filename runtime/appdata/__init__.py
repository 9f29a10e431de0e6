"""What the platform keeps for an app. Empty until storage is built."""
