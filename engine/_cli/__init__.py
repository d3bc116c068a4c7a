"""The commands of `earwitness`, one file each; `engine/cli.py` is the door, `commands.py` the list."""
