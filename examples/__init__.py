"""The scripts that make the example clips: songs from their description, pictures drawn here. Nobody else's media."""
