"""Measures of explanations: what they are computed from is given, no configuration enters."""
