"""The problems that there are."""
