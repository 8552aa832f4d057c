"""Deep Taylor Decomposition: relevance models, root points and first-order terms, and the LRP rules they give."""

from importlib import import_module
from typing import TYPE_CHECKING

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
from dtd.estimate.concepts import Concepts, concepts
from dtd.estimate.min_max import Training, fit_min_max
from dtd.estimate.patterns import estimate_patterns
from dtd.estimate.subspaces import Subspaces, subspaces
from dtd.explaining.average import MeanExplanation, mean_over_plans, toward_data
from dtd.explaining.edges import Edges
from dtd.explaining.explain import explain, explain_each
from dtd.explaining.explanation import Explanation
from dtd.explaining.growth import GrowthWarning, UnderflowWarning
from dtd.explaining.pair_balance import PairBalance
from dtd.explaining.pair_side import Patches
from dtd.explaining.pairs import PairExplanation, pairs
from dtd.explaining.patching import Patching, patching
from dtd.explaining.second_order import SecondOrder, second_order
from dtd.explaining.starts.contrast import Difference, LogOdds
from dtd.explaining.starts.reference import FromReference
from dtd.explaining.starts.unit import Unit
from dtd.explaining.walks import WalkRelevance, Walks, walks
from dtd.network import Network, trace
from dtd.neuralised import Neuralised, neuralise
from dtd.plans import presets, rules, where
from dtd.plans.entry import Entry
from dtd.plans.plan import Plan
from dtd.plans.pooling import MaxAsAverage
from dtd.propagation import Balance, TaylorTerms
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
    SphereRoot,
    TakeMost,
    Tangent,
    TrainingFree,
)
from dtd.relevance.gate import Subspace
from dtd.relevance.passage import HiddenRelevance
from dtd.root import Average, Explicit, Mix, Nearest, Ray, Reference, Root, RootStrategy, jittered, towards

if TYPE_CHECKING:
    from dtd import plot as plot

__version__ = "0.1.0"

__all__ = [
    "Activations",
    "Average",
    "Balance",
    "Box",
    "BudgetError",
    "Concepts",
    "Constant",
    "Contributions",
    "DTDError",
    "Difference",
    "Direction",
    "Domain",
    "DomainError",
    "Edges",
    "Entry",
    "Exact",
    "Explanation",
    "Explicit",
    "Factor",
    "Flat",
    "Follow",
    "FromReference",
    "Gamma",
    "Generic",
    "GrowthWarning",
    "HeldScale",
    "HiddenRelevance",
    "Identity",
    "InputError",
    "Jitter",
    "Linear",
    "LogOdds",
    "MatMulShares",
    "MaxAsAverage",
    "MeanExplanation",
    "MinMax",
    "Mix",
    "Nearest",
    "Network",
    "Neuralised",
    "NonFiniteError",
    "NonNegative",
    "PairBalance",
    "PairExplanation",
    "Patches",
    "Patching",
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
    "SecondOrder",
    "SignedGamma",
    "SoftmaxTangent",
    "SphereRoot",
    "StaleError",
    "Subspace",
    "Subspaces",
    "TakeMost",
    "Tangent",
    "TaylorTerms",
    "ToBox",
    "Toward",
    "TraceError",
    "Training",
    "TrainingFree",
    "UnderflowWarning",
    "Unit",
    "UnsupportedOp",
    "WalkRelevance",
    "Walks",
    "Weights",
    "ZPlus",
    "audit",
    "audit_cost",
    "concepts",
    "estimate_patterns",
    "explain",
    "explain_each",
    "fit_min_max",
    "jittered",
    "lrp",
    "mean_over_plans",
    "neuralise",
    "pairs",
    "patching",
    "presets",
    "root_regions",
    "rules",
    "second_order",
    "subspaces",
    "toward_data",
    "towards",
    "trace",
    "walks",
    "where",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """``dtd.plot``, imported when it is first used: it alone needs matplotlib."""
        if name == "plot":
            return import_module("dtd.plot")
        raise AttributeError(f"module 'dtd' has no attribute '{name}'")
