"""Plans: which propagation speaks for which layer, and the catalogue of rules that they choose from."""
