"""Figures for papers, from tables that a run has written; no figure builds a model."""
