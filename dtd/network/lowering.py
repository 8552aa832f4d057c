"""From an exported graph to layers: walks the nodes and keeps track of what each one is."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.fx import Node

from dtd.affine import AffineMap
from dtd.domain import Box, Domain, Real
from dtd.errors import DTDError, UnsupportedOp
from dtd.network.calls import arguments, callee, with_values
from dtd.network.discrete import AsNumbers, Discrete, composed, result_of
from dtd.network.images import image_of
from dtd.network.kinds import LIKE, check_finite, coarseness, has_no_slope, is_random, is_steered
from dtd.network.lookups import MOVES
from dtd.network.refill import Again, Emitted, Refill, filled
from dtd.network.refs import Ref, flatten
from dtd.network.sides import Side, SideProgram, are_shares, replaced
from dtd.network.sizes import CallSizes, Shape, is_stripped, stored
from dtd.primitive import Held, Mover
from dtd.propagation import Layer, Op

Handler = Callable[..., Ref | tuple[Ref, ...]]


@dataclass
class Lowering:
    """Layers so far, and what the handlers of ops need to add one."""

    handlers: dict[Any, Handler]
    advice: Callable[[str], str]
    modules: frozenset[str]  # paths of torch's own layers, which lend their path as a name
    owners: dict[int, str]  # id of a parameter -> path of its module
    like: Tensor  # dtype and device of the network
    sizes: CallSizes
    sides: SideProgram
    learned: frozenset[Node] = frozenset()  # nodes that depend on parameters alone
    prefix: str = ""  # what the paths of all modules begin with
    layers: list[Layer] = field(default_factory=list)
    uses: dict[str, int] = field(default_factory=dict)
    looked_up: dict[int, Side] = field(default_factory=dict)  # explained inputs that are looked up
    epsilon: float = 0.0  # of the coarsest numbers that the model computes with
    suspects: list[tuple[str, str]] = field(default_factory=list)  # ops along the batch axis, and where they are
    recorded: list[Emitted] | None = None  # layers are recorded here instead, while side values are filled in
    varying: bool = False  # whether constants differ between samples
    shares: bool = False  # whether these are factors from 0 to 1

    def run(self, node: Node, env: dict[Node, Any]) -> Any:
        """The value of one call: a constant, a :class:`Side`, a :class:`Ref`, or a tuple of them."""
        args, kwargs = with_values(node, env.__getitem__)
        values = list(flatten([args, kwargs]))
        self.epsilon = max(self.epsilon, coarseness(node))
        if any(isinstance(v, (Ref, Discrete)) for v in values):
            if node.target is torch.ops.aten.sym_size.int:
                return self.full(arguments(node)[0])[args[1]]
            if node.target in LIKE:  # only the shape of an activation matters
                val = node.meta["val"]
                example = torch.empty(self.full(arguments(node)[0]), dtype=val.dtype, device=self.like.device)
                return callee(node)(example, *args[1:], **kwargs)
            if has_no_slope(node, values):
                return self.discrete(node, args, kwargs)
            handler = self.handlers.get(node.target) or self.handlers.get(str(node.target))
            if handler is None:
                raise UnsupportedOp(str(node.target), self.path(node), self.advice(str(node.target)))
            if not is_steered(node.target) and any(isinstance(v, Discrete) for v in values):
                args, kwargs = replaced((args, kwargs), Discrete, lambda d: self.held(node, d))
            return self.handle(handler, node, args, kwargs)
        if is_random(node):
            raise self.unsupported(node, "It draws random numbers; make them a buffer of the model.")
        if any(isinstance(v, Side) for v in values):
            return self.side(node, args, kwargs)
        return self.sizes.learned(node.meta.get("val"), callee(node)(*args, **kwargs))

    def side(self, node: Node, args: tuple, kwargs: dict) -> Any:
        """A step of the side program; its results one by one where it has several."""
        if node.target is torch.ops.aten.sym_size.int:
            return args[0].value.shape[args[1]]
        leaf = args[0].leaf if node.target in MOVES and isinstance(args[0], Side) else None
        result = self.sides.add(callee(node), *args, leaf=leaf, **kwargs)
        if isinstance(result.value, (tuple, list)):
            picks = (lambda values, i=i: values[i] for i in range(len(result.value)))
            return tuple(self.sides.add(pick, result, leaf=leaf) for pick in picks)
        return result

    def discrete(self, node: Node, args: tuple, kwargs: dict) -> Any:
        """A value of activations that has no slope; its results one by one where it has several."""
        if any(isinstance(v, Side) for v in flatten([args, kwargs])):
            raise self.unsupported(node, "It compares an activation with an input that is not explained.")
        if isinstance(val := node.meta["val"], Tensor):
            return composed(callee(node), args, kwargs, self.full(node), val.dtype)
        whole = composed(callee(node), args, kwargs, None, None)
        return tuple(result_of(whole, i, self.full(node, v), v.dtype) for i, v in enumerate(val))

    def held(self, node: Node, value: Discrete) -> Ref:
        """A value without a slope as a layer that hands no relevance down."""
        assert value.full is not None  # one result
        truth, shape = value.dtype == torch.bool, stored(value.full)
        op = Held(AsNumbers(value.function, shape, self.like.dtype), Box(0.0, 1.0) if truth else Real())
        return self.emit(node, "held", op, value.refs, image=op.range, full=value.full)

    def handle(self, handler: Handler, node: Node, args: tuple, kwargs: dict) -> Any:
        """Add the layers of an op on activations; those that take side values know how they are filled in."""
        given = (args, kwargs)
        sides = tuple(dict.fromkeys(v for v in flatten([args, kwargs]) if isinstance(v, Side)))
        shown = tuple(v.shown for v in flatten([args, kwargs]) if isinstance(v, Ref) and isinstance(v.shown, Side))
        sides = tuple({side.index: side for side in (*sides, *shown)}.values())
        first, self.varying, self.shares = len(self.layers), bool(sides), are_shares(node.target, sides)
        try:
            args, kwargs = filled(given, {side.index: side.value for side in sides})
            result = handler(self, node, *args, **kwargs)
            if not sides or self.recorded is not None:
                return result
            refill = Refill(self, handler, node, given, tuple(side.index for side in sides))
            if isinstance(result, Tensor):  # what is handed on does not depend on the activation
                return self.sides.add(refill.value, *sides)
            self.refillable(refill, sides, first)
            if isinstance(result, Ref) and result.shown is not None:
                return replace(result, shown=self.sides.add(refill.shown, *sides))
            return result
        except DTDError:
            raise
        except Exception as error:
            raise self.unsupported(node, f"Its arguments have no reading here ({error}).") from error
        finally:
            self.varying = False

    def refillable(self, refill: Refill, sides: tuple[Side, ...], first: int) -> None:
        """Mark the layers from ``first`` on that hold side values, and give them a first axis for the samples."""
        for number, op in refill.varied(*(side.value.unsqueeze(0) for side in sides)).items():
            again = Again(refill, number)
            self.layers[first + number] = replace(self.layers[first + number], op=op, sides=refill.indices, refill=again)

    def unsupported(self, node: Node, advice: str) -> UnsupportedOp:
        """The error for an op that is known, used in a way that is not."""
        return UnsupportedOp(str(node.target), self.path(node), advice)

    def suspect(self, node: Node) -> None:
        """Remember an op along an axis of size 1 that may be the batch's: named if the network turns out to be wrong."""
        self.suspects.append((str(node.target), self.path(node)))

    def path(self, node: Node) -> str:
        """The module path of a node."""
        stack = [path for path, _ in (node.meta.get("nn_module_stack") or {}).values() if isinstance(path, str)]
        path = stack[-1].split("@")[0] if stack and not stack[-1].startswith("_empty_") else ""
        return "" if path == self.prefix else path.removeprefix(self.prefix + ".")

    def full(self, node: Node, value: Any = None) -> Shape:
        """Shape of a node's output as exported, for one sample."""
        try:
            return self.sizes.shape(node.meta["val"] if value is None else value)
        except KeyError:
            raise self.unsupported(node, "The shape of its output depends on values; only lengths may vary.") from None

    def shape(self, node: Node) -> Shape:
        """Shape of one sample of a node's output."""
        return stored(self.full(node))

    def is_learned(self, node: Node) -> bool:
        """Whether a constant among a node's arguments is made of parameters."""
        return any(argument in self.learned for argument in node.all_input_nodes)

    def constant(self, node: Node, value: Tensor | float, full: Shape) -> Tensor:
        """A constant in the network's dtype that broadcasts to one sample of an activation of shape ``full``."""
        value = torch.as_tensor(value, dtype=self.like.dtype, device=self.like.device)
        value = value[0] if value.ndim == len(full) and is_stripped(full) else value
        if self.varying:
            value = value.reshape([1] * (len(stored(full)) - value.ndim) + list(value.shape))
        return value

    def emit(
        self,
        node: Node,
        kind: str,
        op: Op,
        inputs: tuple[Ref, ...],
        *,
        image: Domain | None = None,
        domain: Domain | None = None,
        weight: Tensor | None = None,
        full: Shape | None = None,
        path: str | None = None,
    ) -> Ref:
        """Add a layer and return its output; ``weight`` marks a layer whose weights a plan must speak for.

        ``path`` is the module's, where the node's own is another; ``full`` the output's shape, where it is not the node's.
        """
        full = self.full(node) if full is None else full
        if self.recorded is not None:
            self.recorded.append(Emitted.of(op))
            return Ref(-1, full, Real())
        domain, held = domain or inputs[0].domain, tuple(ref.held for ref in inputs)
        if isinstance(op, AffineMap):
            check_finite(op, self.owners, str(node.target), self.path(node) or "(model)")
        image = image_of(op, domain, self.varying, self.shares) if image is None else image
        path = (self.owners.get(id(weight)) or self.path(node)) if path is None else path
        whole = bool(path) and path in self.modules and kind not in ("pad", "expand")
        self.layers.append(
            Layer(
                name=self.unique(path if whole else ".".join(filter(None, (path, kind)))),
                path=path,
                kind=kind,
                op=op,
                inputs=tuple(ref.index for ref in inputs),
                shape=stored(full),
                domain=domain,
                image=image,
                domains=tuple(ref.domain if ref.index >= 0 else Real() for ref in inputs),
                held=held if any(held) else (),
                weighted=weight is not None or kind in ("batch_norm", "opaque"),
            )
        )
        return Ref(len(self.layers) - 1, full, image, held=all(held) or (isinstance(op, Mover) and op.holds))

    def unique(self, name: str) -> str:
        """The name itself at its first use, ``name@2`` at the second."""
        self.uses[name] = self.uses.get(name, 0) + 1
        return name if self.uses[name] == 1 else f"{name}@{self.uses[name]}"
