"""Theorems of depth: what becomes of relevance as layer follows layer, and how it answers to small changes."""
