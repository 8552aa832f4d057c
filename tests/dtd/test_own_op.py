"""An operation, an activation and a rule of one's own: the docs page runs as printed, and what it says is true."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own_op.md").read_text(encoding="utf-8")

CHECKS = """
torch.manual_seed(0)
x = torch.randn(5, 2, dtype=torch.double)
network = dtd.trace(Radial().double(), x)
for fast in (True, False):
    out = dtd.explain(network, x, 1, dtd.Plan([]), fast=fast)
    assert torch.allclose(out.relevance.sum(1), out.output[:, 1])
    assert torch.allclose(out.relevance, (x - torch.tensor([0.0, 3.0])).square())
at_the_centre = dtd.explain(network, torch.tensor([[0.0, 3.0]], dtype=torch.double), torch.ones(1, 2).double(), dtd.Plan([]))
balance = at_the_centre.layers["squared_distance"].balance
assert balance.zeroth.item() == 1.0 and balance.first.item() == 1.0
"""


def blocks(language: str) -> list[str]:
    """The page's blocks of a language, in their order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def run(code: str) -> str:
    """What a script prints, in a process of its own: the page registers operations."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_prints_what_it_says():
    assert run("\n".join(blocks("python"))) == "".join(blocks("text"))


def test_its_rule_is_the_second_order_terms_at_the_centre():
    run("\n".join([*blocks("python")[:6], CHECKS]))


def refusal(code: list[str], call: str) -> str:
    """The error of a call on the page's network after a part of the page's code."""
    model, _, _ = blocks("python")[5].partition("x = ")
    wanted = f"""
x = torch.ones(1, 2)
network = dtd.trace(Radial(), x)
try:
    {call}
except dtd.PlanError as error:
    print(error)
"""
    return run("\n".join([*code, model, wanted]))


def test_what_is_left_out_is_an_error_that_names_the_page():
    code = blocks("python")
    default, audit = (part for part in re.split(r"\n\n\n(?=@findings)", code[4]))
    said = refusal(code[:4], "dtd.explain(network, x, 0, dtd.Plan([]))")
    assert "no rule of its own" in said and "docs/own_op.md" in said
    said = refusal([*code[:4], default], "dtd.audit(network, x, 0, dtd.Plan([]))")
    assert "knows nothing of SecondOrder()" in said and "docs/own_op.md" in said
    assert refusal([*code[:4], default, audit], "dtd.audit(network, x, 0, dtd.Plan([]))") == ""


def test_the_files_that_it_names_are_there():
    for path in re.findall(r"`((?:dtd|proofs)/[^`]*)`", PAGE):
        assert (ROOT / path).exists(), path
