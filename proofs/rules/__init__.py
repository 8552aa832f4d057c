"""One proof for each rule of the catalogue: derived terms = the paper's formula = the explicit rule."""
