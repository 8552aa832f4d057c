"""What docs/rules.md and docs/rigour.md say about rules and proofs, from the catalogue and from the proofs themselves.

Each part stands between the comments ``<!-- NAME -->`` and ``<!-- /NAME -->``; ``python -m proofs --page docs/rules.md``
writes a page anew, and a test holds the pages against it.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from dtd.plans.rules import catalogue
from proofs.kernel import Proof
from proofs.overview import WHERE
from proofs.registry import PROOFS


def rules() -> str:
    """The catalogue as a table: key, name, direction, condition, source."""
    lines = [
        "| key | name | direction `v_j` | root of an active unit in the domain iff (bias fixed) | source |",
        "|---|---|---|---|---|",
    ]
    for rule in catalogue.values():
        condition = f"on {WHERE[rule.condition.domain]}: {rule.condition.text}"
        cells = (f"`{rule.name}`", rule.alias, rule.along, condition, rule.reference)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def sizes() -> str:
    """How many proofs there are, and for what each is shown."""
    found = Counter(extent(proof) for proof in PROOFS.values())
    mutants = sum(len(proof.mutants) for proof in PROOFS.values())
    general = "any number of inputs, units or layers"
    rest = ", ".join(f"{count} for {size}" for size, count in sorted(found.items()) if size != general)
    return (
        f"There are {len(PROOFS)} proofs: {found[general]} hold for {general}, {rest};\n"
        "each holds at exact rational points too. Each has to fail for changes of its subject that its author chose, "
        f"{mutants} in all."
    )


def claims() -> str:
    """Every proof with its claim, for what it is shown on symbols, its exact points, and its author's mutants."""
    lines = ["| proof | claim | shown for | exact points | its author's mutants |", "|---|---|---|---|---|"]
    for name, proof in PROOFS.items():
        cases = list(proof.cases())
        shown = "; ".join(dict.fromkeys(case.extent for case in cases if not case.point))
        numbers = sum(case.point for case in cases), len(proof.mutants)
        claim = proof.claim.replace("|", "\\|")
        lines.append(f"| `{name}` | {claim} | {shown} | {numbers[0]} | {numbers[1]} |")
    return "\n".join(lines)


def extent(proof: Proof) -> str:
    """The largest size for which a proof is shown on symbols."""
    extents = [case.extent for case in proof.cases() if not case.point]
    return "any number of inputs, units or layers" if any(is_general(each) for each in extents) else extents[0]


def is_general(extent: str) -> bool:
    """Whether an extent leaves the number of inputs, units or layers open."""
    return extent.startswith("any ")


PARTS = {"rules": rules, "proofs": sizes, "claims": claims}
PAGES = {"docs/rules.md": ("rules", "proofs"), "docs/rigour.md": ("claims",)}  # the parts of each page


def parts_of(page: Path) -> tuple[str, ...]:
    """The parts that a page has, by its file's name; those of the page of rules for one of another name."""
    return next((parts for name, parts in PAGES.items() if Path(name).name == page.name), PAGES["docs/rules.md"])


def written(text: str, names: Iterable[str] = PAGES["docs/rules.md"]) -> str:
    """A page with its parts written anew. Raises ValueError for a page that lacks a part's marks."""
    for name in names:
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise ValueError(f"The page needs one {start} and one {end}.")
        before, rest = text.split(start)
        text = f"{before}{start}\n{PARTS[name]()}\n{end}{rest.split(end)[1]}"
    return text
