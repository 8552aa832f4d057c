"""Does anyone notice a wrong line of ``dtd/``? Lines are changed one at a time, and proofs and tests are run on them.

mutmut leaves out functions with decorators (a quarter of them here: properties, every reading of :mod:`dtd.algebra`) and
statements of classes and modules. cosmic-ray starts a Python of its own for each change (torch alone takes two seconds),
drops no terms and swaps no arguments. Neither tells proofs from tests. Hence a small one: a process that has imported
everything but ``dtd`` forks for each change.
"""
