"""The terms that a report uses, explained once for whoever has to read it without having studied statistics."""

from __future__ import annotations

TERMS: tuple[tuple[str, str], ...] = (
    (
        "Factor (likelihood ratio)",
        "How many times as probable what was heard and seen is if one proposition is true as if the other is. 1 : 1 says "
        "nothing. "
        "It is not how probable a proposition is, nor how often the method is right.",
    ),
    (
        "log₁₀",
        "The factor as a power of ten: +1 is 10 : 1 for one place, −1 is 10 : 1 for different places (for a claim: for it, "
        "against "
        "it), 0 says nothing.",
    ),
    (
        "95% interval",
        "Where 95 of 100 repetitions lie when the material behind a figure is drawn anew, place by place. It does not cover "
        "conditions that were never tested.",
    ),
    (
        "Calibration",
        "A rule fitted on material of known place that turns a model's own figure into one that means what it says. “Held out” "
        "figures come from places that the rule was not fitted on.",
    ),
    (
        "Bound",
        "The most extreme factor that is stated. Few tests cannot show that an error is rarer than about one in their number, "
        "however clear a clip looks, so that the factor is cut off there.",
    ),
    ("Prior", "Where clips come from before anything is heard or seen: the relevant population of places. Four are computed."),
    (
        "Belief",
        "The share of probability that the models and the prior named here give to a part of the map. It holds under them alone.",
    ),
    ("Region of 50, 90, 95%", "The smallest set of map cells that holds this share of the belief."),
    ("Place reported", "The cell centre with the most belief within the radius stated: the best single guess, not an address."),
    (
        "Learnt, in nats",
        "By how much the belief differs from the prior (Kullback-Leibler divergence): 0 nothing was learnt; 2.3 nats is about as "
        "much as knowing which tenth of the prior is right, 4.6 which hundredth.",
    ),
    (
        "Expected distance",
        "The mean distance between a place drawn from the belief of the sound and one from that of the picture.",
    ),
    ("Overlap of beliefs", "Bhattacharyya coefficient: 0 where two beliefs share nothing, 1 where they are the same."),
    ("Score", "A model's own figure from 0 to 1 for one detection. It is not the chance that the detection is right."),
    ("Window, clue", "A window is a stretch of 3 s of sound. A clue is one way of perceiving: species heard, text read, hum."),
    (
        "Cllr",
        "How good factors are as measured on pairs of known truth (log-likelihood-ratio cost): 0 is perfect, 1 no better than "
        "saying "
        "nothing.",
    ),
    ("Area under the ROC curve", "How often the right one of two pairs gets the higher factor: 1 always, 0.5 by chance."),
    ("nll", "−ln of the belief in the true cell, lower is better."),
    ("SHA-256", "A fingerprint of 64 hexadecimal digits: any change of a file or a text changes it."),
)
