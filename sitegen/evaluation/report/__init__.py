"""What all reports share: how they are drawn."""
