"""Texts as data: words, their vectors, and reviews that are split and encoded."""
