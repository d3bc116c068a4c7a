"""Text read in the picture: one clue in several files."""
