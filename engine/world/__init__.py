"""What is known of the Earth before any clip: land, countries, places, and where people look and listen from."""
