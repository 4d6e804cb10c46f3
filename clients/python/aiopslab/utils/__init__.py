"""What problems and agents share."""
