"""Primitives other than a weighted layer. Where no shipped object exists yet, the proof says so."""
