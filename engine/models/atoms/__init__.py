"""Acoustic atoms: a mixture-autoregressive sparse autoencoder that takes a mixture of sounds apart, loudest first.

A window of WINDOW_S is seen as levels on a grid of BANDS mel bands and FRAMES frames of 32 ms. With X the mixture and R what is
left of it, one step is

    h = encoder(R, X)                     u = kernels' drive (KERNELS per label, 8 a second),  a = relu(u): sparse activations
    k* = argmax over kernels of the drive pooled over time; its label is the step's, unless "stop" scores higher
    M = mask(h, a, label of k*)           M <= what earlier steps left
    part = M X,  R <- R - part

The dictionary holds BANDS x KERNEL_FRAMES levels per kernel, none negative; the label's activations times its kernels are its
levels as the dictionary sees them. In the faithful variant M comes from those levels alone; in the one shipped a small decoder,
given the label and the dictionary's levels, draws M finer. A second head says at every step which labels are still in R; a
label's score joins what it says before the label is taken with the steps' own choices. Networks that hear the mixture in one look
may be asked for a second opinion on which labels are there (`opinions` of the card). Parts and residual add up to the mixture,
sample by sample.

Source: after Su and Liu 2026, arXiv 2603.05708 (abstract and figures): mixtures with random, monotonically decreasing gains,
selection of the most activated kernel, subtraction of its reconstruction, cross-entropy for labels and a loss for the
reconstruction. Grid, encoder, decoder and the presence head are ours.

grid        the transform, mel bands, masks back on the transform
network     encoder, dictionary, heads and decoder, in torch
separation  the loop over steps, and what the network said at each
scores      what that comes to: chances, counts, scores
model       the weights, by hash, and windows taken apart with them
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
