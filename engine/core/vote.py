"""Which clues have no vote of their own accord."""

# Clues without a vote unless the analyst asks for it (Settings.included), and why.
OFF_BY_DEFAULT = {
    "streetclip": "not asked for; it looks at the same frames as GeoCLIP, and what it adds has not been measured",
    "scene": "not asked for; on photos of known place it seldom spoke and showed no certain gain",
    "speech": "not asked for; narration and dialogue tell of the production, not of the place",
    "atoms": "not asked for; few everyday sounds say anything of places, and a film may have them from a library",
    "agclip": "not asked for; on recordings of known place it showed no gain beside the species' ranges",
}
