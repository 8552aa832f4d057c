"""Deep Taylor Decomposition: relevance models, root points and first-order terms, and the LRP rules they give."""

from dtd import lrp, presets, rules, where
from dtd.audit import audit, audit_cost, root_regions
from dtd.direction import (
    Activations,
    Contributions,
    Direction,
    Factor,
    Flat,
    Gamma,
    Jitter,
    Pattern,
    SignedGamma,
    ToBox,
    Toward,
    Weights,
    ZPlus,
)
from dtd.domain import Box, Domain, NonNegative, Real
from dtd.errors import (
    BudgetError,
    DomainError,
    DTDError,
    InputError,
    NonFiniteError,
    PlanError,
    StaleError,
    TraceError,
    UnsupportedOp,
)
from dtd.explain import explain, explain_each
from dtd.explanation import Explanation
from dtd.fitting import Training, fit_min_max
from dtd.network import Network, trace
from dtd.pattern import estimate_patterns
from dtd.plan import Entry, Plan
from dtd.pooling import AsAverage
from dtd.primitive import MatMul, Pass, Product
from dtd.relevance import Exact, Generic, Linear, MinMax, RelevanceModel, TrainingFree
from dtd.root import Average, Explicit, Mix, Nearest, Ray, Reference, Root, RootStrategy, jittered, towards
from dtd.sampled import Averaged, average, toward_data
from dtd.taylor import Balance, TaylorTerms

__all__ = [
    "Activations",
    "AsAverage",
    "Average",
    "Averaged",
    "Balance",
    "Box",
    "BudgetError",
    "Contributions",
    "DTDError",
    "Direction",
    "Domain",
    "DomainError",
    "Entry",
    "Exact",
    "Explanation",
    "Explicit",
    "Factor",
    "Flat",
    "Gamma",
    "Generic",
    "InputError",
    "Jitter",
    "Linear",
    "MatMul",
    "MinMax",
    "Mix",
    "Nearest",
    "Network",
    "NonFiniteError",
    "NonNegative",
    "Pass",
    "Pattern",
    "Plan",
    "PlanError",
    "Product",
    "Ray",
    "Real",
    "Reference",
    "RelevanceModel",
    "Root",
    "RootStrategy",
    "SignedGamma",
    "StaleError",
    "TaylorTerms",
    "ToBox",
    "Toward",
    "TraceError",
    "Training",
    "TrainingFree",
    "UnsupportedOp",
    "Weights",
    "ZPlus",
    "audit",
    "audit_cost",
    "average",
    "estimate_patterns",
    "explain",
    "explain_each",
    "fit_min_max",
    "jittered",
    "lrp",
    "presets",
    "root_regions",
    "rules",
    "toward_data",
    "towards",
    "trace",
    "where",
]
