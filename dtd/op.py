"""Operations: what a layer computes, whatever its relevance does."""

from abc import ABC, abstractmethod

from torch import Tensor

from dtd.callers.printing import Printed
from dtd.domain import Domain, Real


class Op(Printed, ABC):
    """A function ``y = f(a, …)`` of one or several activations, for each sample of a batch as if it were alone.

    How relevance passes an operation is another object, a :class:`~dtd.propagation.Propagation`, which a plan chooses.
    """

    @abstractmethod
    def __call__(self, *inputs: Tensor) -> Tensor:
        """The output. # shape: (B, *in) for each input -> (B, *out)"""

    def image(self, *domains: Domain) -> Domain:
        """The smallest known domain that holds the outputs for inputs in ``domains``."""
        return Real()
