"""Proofs: every LRP rule derived from its root point, by running the shipped objects on symbols.

``python -m proofs`` checks all of them. :mod:`proofs.kernel` says what a proof is, :mod:`proofs.registry` lists them, and
:mod:`proofs.own` derives the rule of a direction of one's own.
"""
