"""What a type checker refuses before anything runs: each line with a comment has an error of that kind."""

import torch
from torch import nn

import dtd

network = dtd.trace(nn.Linear(3, 2), torch.rand(1, 3), domain=0.5)  # arg-type
dtd.explain(network, torch.rand(1, 3))  # call-arg
dtd.explain(network, torch.rand(1, 3), target="cat")  # arg-type
dtd.Ray(dtd.Gamma(0.25), bias="moves")  # arg-type
dtd.Gamma(gamma="a quarter")  # arg-type
dtd.plot.heatmaps(torch.rand(1, 3, 3), channels="mean")  # arg-type
print(dtd.plot.pie)  # attr-defined
print(dtd.explain(network, torch.rand(1, 3), 0).heatmap)  # attr-defined


class Wrong(dtd.Direction):
    def factors(self, domain: dtd.Domain) -> list[int]:  # override
        return []
