"""Riemannian flow matching on the sphere: from a uniform draw over the Earth to where a clip is from, along geodesics.

geometry   the sphere: geodesics, tangent planes, the cut locus          ode      moving points, and what that does to density
sketch     what a clip's vectors say of the map, coarse and fine         field    the learned velocity field
model      the shipped flow: samples, exact density, guidance            plonk    PLONK's checkpoints in the same harness
rivals     heads it is measured against

Sources: Chen & Lipman 2024, "Flow Matching on General Geometries", arXiv 2302.03660; Dufour et al. 2025, "Around the World in 80
Timesteps" (PLONK), arXiv 2412.06781.
"""
