"""The terms that a report uses, explained for readers without a training in statistics."""

from __future__ import annotations

TERMS: tuple[tuple[str, str], ...] = (
    (
        "Factor (likelihood ratio)",
        "How many times more probable the evidence is under one proposition than under the other. 1 : 1 favours neither. It "
        "is not the probability of a proposition, nor how often the method is right.",
    ),
    (
        "log₁₀",
        "The factor as a power of ten: +1 is 10 : 1 for one place, −1 is 10 : 1 for different places (for a claim: for it, "
        "against it), 0 favours neither.",
    ),
    (
        "95% interval",
        "The range of 95 in 100 results when the validation material is resampled, place by place. It does not cover "
        "conditions that were not tested.",
    ),
    (
        "Calibration",
        "A rule, fitted on material of known place, that corrects a model's figures so that they match observed frequencies. "
        "“Held out” figures come from places that were not used for fitting.",
    ),
    (
        "Bound",
        "The most extreme factor that is reported. With N tests, an error rate below about one in N cannot be shown, however "
        "clear a clip is; larger factors are therefore cut off.",
    ),
    ("Prior", "Where clips come from before the evidence is considered: the relevant population of places. Four are computed."),
    (
        "Posterior",
        "The probability that the models and the prior named here assign to each part of the map. With other models or "
        "another prior it differs.",
    ),
    ("Region of 50, 90, 95%", "The smallest set of map cells that contains this share of the posterior probability."),
    (
        "Place reported",
        "The cell centre with the most posterior probability within the stated radius: the best single guess, not an address.",
    ),
    (
        "Information gain, in nats",
        "How far the posterior differs from the prior (Kullback-Leibler divergence). 0: no information; 2.3 nats: as much as "
        "knowing which tenth of the prior is right; 4.6: which hundredth.",
    ),
    (
        "Expected distance",
        "The mean distance between a place drawn from the posterior of the sound and one drawn from that of the picture.",
    ),
    ("Overlap of posteriors", "Bhattacharyya coefficient: 0 if two posteriors have nothing in common, 1 if they are the same."),
    ("Score", "A model's own figure from 0 to 1 for one detection. It is not the probability that the detection is correct."),
    ("Window, clue", "A window is 3 seconds of sound. A clue is one kind of evidence: species heard, text read, mains hum."),
    (
        "Cllr",
        "Quality of the factors on pairs of known truth (log-likelihood-ratio cost): 0 is perfect, 1 no better than no "
        "information.",
    ),
    (
        "Area under the ROC curve",
        "How often, of one true and one false pair, the true one gets the higher factor: 1 always, 0.5 by chance.",
    ),
    ("nll", "Negative log-likelihood: −ln of the posterior probability of the true cell; lower is better."),
    ("SHA-256", "A checksum of 64 hexadecimal digits: any change to a file or a text changes it."),
)
