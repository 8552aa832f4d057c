"""Speed: the same relevance by prepared passes. Nothing below this package imports it; without it everything else works."""

from dtd.fast import affine, attention, primitives  # registers what is faster than the definition
from dtd.fast.assemble import prepared
from dtd.fast.blocks import Blocks, Footprint, footprint
from dtd.fast.program import Program, Swept

__all__ = ["Blocks", "Footprint", "Program", "Swept", "affine", "attention", "footprint", "prepared", "primitives"]
