"""Deep Taylor Decomposition: relevance models, root points and first-order terms, and the LRP rules they give."""

from dtd import lrp
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
from dtd.estimate.min_max import Training, fit_min_max
from dtd.estimate.patterns import estimate_patterns
from dtd.explaining.average import MeanExplanation, mean_over_plans, toward_data
from dtd.explaining.explain import explain, explain_each
from dtd.explaining.explanation import Explanation
from dtd.explaining.growth import GrowthWarning, UnderflowWarning
from dtd.network import Network, trace
from dtd.plans import presets, rules, where
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.pooling import MaxAsAverage
from dtd.relevance import (
    Constant,
    Exact,
    Follow,
    Generic,
    HeldScale,
    Identity,
    Linear,
    MatMulShares,
    MinMax,
    ProductShares,
    RelevanceModel,
    SoftmaxTangent,
    Tangent,
    TrainingFree,
)
from dtd.root import Average, Explicit, Mix, Nearest, Ray, Reference, Root, RootStrategy, jittered, towards
from dtd.taylor import Balance, TaylorTerms

__all__ = [
    "Activations",
    "Average",
    "Balance",
    "Box",
    "BudgetError",
    "Constant",
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
    "Follow",
    "Gamma",
    "Generic",
    "GrowthWarning",
    "HeldScale",
    "Identity",
    "InputError",
    "Jitter",
    "Linear",
    "MatMulShares",
    "MaxAsAverage",
    "MeanExplanation",
    "MinMax",
    "Mix",
    "Nearest",
    "Network",
    "NonFiniteError",
    "NonNegative",
    "Pattern",
    "Plan",
    "PlanError",
    "ProductShares",
    "Ray",
    "Real",
    "Reference",
    "RelevanceModel",
    "Root",
    "RootStrategy",
    "SignedGamma",
    "SoftmaxTangent",
    "StaleError",
    "Tangent",
    "TaylorTerms",
    "ToBox",
    "Toward",
    "TraceError",
    "Training",
    "TrainingFree",
    "UnderflowWarning",
    "UnsupportedOp",
    "Weights",
    "ZPlus",
    "audit",
    "audit_cost",
    "estimate_patterns",
    "explain",
    "explain_each",
    "fit_min_max",
    "jittered",
    "lrp",
    "mean_over_plans",
    "presets",
    "root_regions",
    "rules",
    "toward_data",
    "towards",
    "trace",
    "where",
]
