"""One order of rules, plans and baselines in every figure and table: the catalogue's rules, composites, baselines."""

from dtd.plans.rules import catalogue

COMPOSITES = (
    *("deep_taylor_2017", "epsilon_plus", "epsilon_plus_flat", "epsilon_alpha2_beta1", "epsilon_gamma_box"),
    *("lrp_overview_2019", "overview", "attnlrp", "cp_lrp", "transformers_2022", "lstm_2017", "neuralised"),
)
BASELINES = ("gradient_x_input", "leave_one_out", "random")
ORDER = (*catalogue, *COMPOSITES, *BASELINES)


def rank(name: object) -> int:
    """The place of a name in the order; behind it all others, which are alike."""
    return ORDER.index(name) if name in ORDER else len(ORDER)
