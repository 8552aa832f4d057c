"""Theorems about every rule."""
