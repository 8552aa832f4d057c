"""Subspaces of a layer's activations that carry relevance: PRCA in closed form, DRSA by orthogonal ascent."""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from dtd.callers.arithmetic import own_arithmetic
from dtd.callers.printing import Printed
from dtd.errors import InputError, check_parameter
from dtd.estimate.hidden import Data
from dtd.explaining.target import Target
from dtd.network.leaves import Inputs
from dtd.network.network import Network
from dtd.plans.plan import Plan
from dtd.relevance.gate import Subspace

DRAWN = 20_000  # places that DRSA is optimised on
HALVINGS_OF_STEP = 30  # before an ascent ends
SLIGHT = 1e-9  # relative gain of the objective that counts as none


@dataclass(frozen=True, eq=False)
class Subspaces(Printed):
    """Orthogonal subspaces of a layer's channels, and what remains beside them.

    The projections of ``parts`` and ``rest`` add up to the identity, so that relevance through each adds up to the
    whole (but for what channels with activation 0 hold). ``relevance`` is the mean relevance through each part and, last,
    the rest, over places of the data. ``objective`` has DRSA's value after each step.

    >>> Subspaces("0", (Subspace(torch.eye(2)[:, :1]),), Subspace(torch.eye(2)[:, 1:]), torch.tensor([3.0, 1.0])).shares
    tensor([0.7500, 0.2500])

    # shape: relevance (parts + 1,)

    Relevance 3 and 1 of two channels, through one direction and through what is orthogonal to it: 2 ± √5.

    >>> import dtd, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 1, bias=False))
    >>> for layer, weight in ((model[0], [[1.0, 2.0], [0.0, 1.0]]), (model[2], [[1.0, 1.0]])):
    ...     _ = layer.weight.data.copy_(torch.tensor(weight))
    >>> net, plan = dtd.trace(model, torch.ones(1, 2)), dtd.Plan.uniform("lrp0")
    >>> found = dtd.subspaces(net, torch.ones(1, 2), "1", 0, plan)
    >>> found.relevance
    tensor([ 4.2361, -0.2361])
    """

    layer: str
    parts: tuple[Subspace, ...]
    rest: Subspace | None
    relevance: Tensor
    objective: tuple[float, ...] = field(default=(), repr=False)

    @property
    def shares(self) -> Tensor:
        """Relevance through each part, and the rest, as shares of their sum. # shape: (parts + 1,)"""
        return self.relevance / self.relevance.sum()


class Vectors(NamedTuple):
    """Activations, and the coefficients of relevance, at places of a layer. # shape: (rows, C) each"""

    a: Tensor
    c: Tensor

    def relevance(self, u: Tensor, parts: int) -> Tensor:
        """``(U_kᵀ a)·(U_kᵀ c)`` of each part. # shape: u (C, parts · size) -> (rows, parts)"""
        return ((self.a @ u) * (self.c @ u)).unflatten(1, (parts, -1)).sum(2)


def prca(covariance: Tensor, size: int) -> Tensor:
    """Orthonormal columns ``U`` that maximise ``tr(Uᵀ S U)``: the first eigenvectors of the symmetric part ``S``.

    With ``covariance = E[a cᵀ]`` that is the mean relevance ``E[(Uᵀa)·(Uᵀc)]`` through the subspace, so it is the most
    relevant subspace of its size (Chormai et al. 2022, principal relevant component analysis).

    >>> prca(torch.tensor([[1.0, 2.0], [0.0, 1.0]]), 1).abs()
    tensor([[0.7071],
            [0.7071]])

    # shape: (C, C) -> (C, size)
    """
    return torch.linalg.eigh((covariance + covariance.mT) / 2).eigenvectors.flip(1)[:, :size]


def pooled(relevance: Tensor) -> Tensor:
    """DRSA's objective: ``(1/K Σ_k (1/N Σ_n [R_kn]₊²)^{1/4})²``. # shape: (rows, parts) -> ()

    A soft maximum over places, which asks for relevance that is concentrated, and a soft minimum over parts, which asks that
    each of them has some.
    """
    square = relevance.relu().square().mean(0)
    return torch.where(square > 0, square, 1).pow(0.25).where(square > 0, 0).mean().square()


def drsa(vectors: Vectors, start: Tensor, parts: int, steps: int) -> tuple[Tensor, list[float]]:
    """Ascent of :func:`pooled` over orthonormal ``U``: a gradient step, then ``U (UᵀU)^{-1/2}``, halved until it gains.

    Returns the last ``U`` and the objective after each step, which never falls. # shape: start (C, parts · size)
    """

    def value(u: Tensor) -> Tensor:
        return pooled(vectors.relevance(u, parts))

    u, rate, values = start, 1.0, [float(value(start))]
    for _ in range(steps):
        with torch.enable_grad():
            moving = u.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(value(moving), moving)
        norm = gradient.norm()
        if not norm > 0:
            break
        for _ in range(HALVINGS_OF_STEP):
            moved = orthonormal(u + rate * gradient / norm)
            if float(value(moved)) > values[-1] * (1 + SLIGHT):
                break
            rate /= 2
        else:
            break
        u, rate = moved, 2 * rate
        values.append(float(value(u)))
    return u, values


def orthonormal(u: Tensor) -> Tensor:
    """``U (UᵀU)^{-1/2}``: the nearest matrix with orthonormal columns."""
    left, _, right = torch.linalg.svd(u, full_matrices=False)
    return left @ right


@own_arithmetic()
def subspaces(
    network: Network,
    inputs: Inputs,
    layer: str,
    target: Target,
    plan: Plan | None = None,
    *,
    size: int = 1,
    parts: int = 1,
    steps: int = 200,
    starts: int = 3,
    batch: int = 64,
    seed: int = 0,
) -> Subspaces:
    """Orthogonal subspaces of a layer's channels that carry the relevance of a data set (Chormai et al. 2022).

    Relevance of the layer's output is ``R = a ⊙ c`` at each place; through a subspace with orthonormal ``U`` goes
    ``(Uᵀa)·(Uᵀc)``. One part is PRCA: the ``size`` first eigenvectors of ``½ E[a cᵀ + c aᵀ]``, which maximise its mean, in
    closed form. Several parts are DRSA: each of ``size`` dimensions, all orthogonal, by ascent of a pooled objective
    (:func:`pooled`) from ``starts`` random starts, of which the best counts, on at most 20,000 random places.

    ``c`` is 0 where the activation is 0, in place of the value that a rule may give it there, so that this is the relevance
    that ``through=`` lets through, under every rule.

    Args:
        inputs: a data set as the network takes it, ``(N, *in)``; ``batch`` samples are explained at a time.
        layer: the name of a layer. Its output's channel axis is decomposed, places are samples of their own.
        target: what is explained, as in :func:`dtd.concepts`.

    >>> import dtd
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 1, bias=False))
    >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0, 2.0], [0.0, 1.0]])), model[1].weight.data.fill_(1.0)
    >>> net, x = dtd.trace(model, torch.ones(1, 2)), torch.tensor([[3.0, 1.0]])
    >>> dtd.subspaces(net, x, "0", 0, dtd.Plan.uniform("lrp0")).relevance  # a = (5, 1), c = (1, 1): 3 ± √13
    tensor([ 6.6056, -0.6056])

    Raises what :func:`dtd.explain` raises, and :class:`InputError` for more dimensions than channels.

    At a = (3, 1) and c = (1, 1), S = ½ (a cᵀ + c aᵀ) = ((3, 2), (2, 1)) has the eigenvalues 2 ± √5.

    >>> import dtd, torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.ReLU(), torch.nn.Linear(2, 1, bias=False))
    >>> for layer, weight in ((model[0], [[1.0, 2.0], [0.0, 1.0]]), (model[2], [[1.0, 1.0]])):
    ...     _ = layer.weight.data.copy_(torch.tensor(weight))
    >>> net, plan = dtd.trace(model, torch.ones(1, 2)), dtd.Plan.uniform("lrp0")
    >>> found = dtd.subspaces(net, torch.ones(1, 2), "1", 0, plan)
    >>> found.relevance
    tensor([ 4.2361, -0.2361])
    """
    for name, value in (("size", size), ("parts", parts), ("steps", steps), ("starts", starts)):
        check_parameter(isinstance(value, int) and value >= 1, name, "a positive integer", value)
    generator = torch.Generator().manual_seed(seed)
    drawn: list[list[Tensor]] = []
    products: list[Tensor] = []
    count, data = 0, Data(network, inputs, target, plan, batch)
    samples = network.read(inputs).batch
    for a, c in data.vectors(layer):
        if size * parts > a.shape[2]:
            raise InputError(f"Layer '{layer}' has {a.shape[2]} channels; found {parts} parts of {size} dimensions each.")
        take = min(a.shape[1], max(1, DRAWN // samples))
        where = torch.rand(a.shape[:2], generator=generator).argsort(1)[:, :take].to(a.device)[..., None]
        drawn.append([x.take_along_dim(where, 1).flatten(0, 1) for x in (a, c)])
        a, c = a.flatten(0, 1), c.flatten(0, 1)
        products, count = [sum(products, a.mT @ c)], count + len(a)
    mean = products[0] / count
    values: list[float] = []
    if parts == 1:
        u = prca(mean, size)
    else:
        vectors = Vectors(*map(torch.cat, zip(*drawn, strict=True)))
        shape, like = (mean.shape[0], parts * size), vectors.a
        firsts = [orthonormal(torch.randn(shape, generator=generator, dtype=like.dtype).to(like)) for _ in range(starts)]
        u, values = max((drsa(vectors, first, parts, steps) for first in firsts), key=lambda found: found[1][-1])
    return with_rest(layer, u, parts, mean, tuple(values))


def with_rest(layer: str, u: Tensor, parts: int, covariance: Tensor, values: tuple[float, ...]) -> Subspaces:
    """Orthonormal columns as subspaces, with their complement and their mean relevance."""
    bases = list(u.split(u.shape[1] // parts, 1))
    complement = torch.linalg.qr(u, mode="complete").Q[:, u.shape[1] :]
    every = [*bases, complement]
    relevance = torch.stack([(covariance @ each * each).sum() for each in every])
    rest = Subspace(complement) if complement.shape[1] else None
    return Subspaces(layer, tuple(map(Subspace, bases)), rest, relevance, values)
