"""Lines whose change once went unnoticed (docs/rigour.md), each by its right value."""

import pytest
import torch

import dtd
from dtd.domain import NonNegative, Real
from dtd.primitive.normalise import LayerNorm


def unit(weights: tuple[float, ...], bias: float = 0.0) -> tuple[dtd.Network, torch.Tensor]:
    """One linear unit, at ones."""
    model, x = torch.nn.Linear(len(weights), 1).double(), torch.ones(1, len(weights), dtype=torch.float64)
    model.load_state_dict({"weight": x.new_tensor([weights]), "bias": x.new_tensor([bias])})
    return dtd.trace(model, x), x


def explained(strategy: object) -> list[float]:
    net, x = unit((3.0, -1.0))
    return dtd.explain(net, x, 0, dtd.Plan([("*", strategy)])).relevance[0].tolist()


def test_weights_of_a_mix_inside_a_mix_multiply():
    """LRP-0 gives (3, −1), w² (1.8, 0.2): ¼ (2 (3, −1) − (1.8, 0.2)) + ¾ (1.8, 0.2)."""
    lrp0, wsquare = dtd.Ray(dtd.Activations()), dtd.Ray(dtd.Weights())
    inner = dtd.Mix(((2.0, lrp0), (-1.0, wsquare)))
    found = explained(dtd.Mix(((0.25, inner), (0.75, wsquare))))
    assert found == pytest.approx([0.25 * (6 - 1.8) + 0.75 * 1.8, 0.25 * (-2 - 0.2) + 0.75 * 0.2])


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("weight", [None, (1.0, 2.0), (1.0, -2.0)])
@pytest.mark.parametrize("domain", [Real(), NonNegative()])
def test_a_norm_is_non_negative_only_for_non_negative_inputs_and_gains(centred, weight, domain):
    gains = None if weight is None else torch.tensor(weight)
    norm = LayerNorm(sizes=(2,), weight=gains, bias=None, epsilon=1e-5, centred=centred)
    expected = not centred and domain.nonnegative and (weight is None or min(weight) >= 0)
    assert norm.image(domain).nonnegative == expected


def test_one_bracket_is_a_bracket():
    assert dtd.Generic(brackets=1).brackets == 1
    with pytest.raises(dtd.InputError):
        dtd.Generic(brackets=0)
