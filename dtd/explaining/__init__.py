"""Explanations: a forward sweep and a relevance pass over a traced network, under a plan."""
