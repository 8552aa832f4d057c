"""The house stays as it was drawn: imports run one way, and the core needs no experiment's library."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOORS = (
    "errors printing algebra numeric domain taylor affine propagation primitive units direction root relevance lrp rules "
    "pooling network target where plan presets program reference explanation parts explain sampled pattern fitting audit"
).split()
FORBIDDEN = {
    "dtd": {"hydra", "omegaconf", "matplotlib", "sympy", "proofs", "experiments", "rich"},
    "proofs": {"experiments", "hydra"},
}


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every imported module of a file, and whether the import is at the top level."""
    tree = ast.parse(path.read_text())
    top = set(tree.body)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            whole = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "dtd" else [node.module]
            found += [(name, node in top) for name in whole]
    return found


def test_imports_in_dtd_run_one_way_and_at_the_top():
    for path in sorted((ROOT / "dtd").rglob("*.py")):
        here = path.relative_to(ROOT / "dtd").parts[0].removesuffix(".py")
        for name, at_top in imports(path):
            parts = name.split(".")
            if parts[0] == "dtd" and here != "__init__":
                assert len(parts) > 1, f"{path} imports the package root"
                assert FLOORS.index(parts[1]) <= FLOORS.index(here), f"{path} imports {name}, which stands above it"
            assert at_top, f"{path} imports {name} inside a function"


def test_every_package_stays_away_from_what_is_not_its_own():
    for package, forbidden in FORBIDDEN.items():
        for path in sorted((ROOT / package).rglob("*.py")):
            used = {name.split(".")[0] for name, _ in imports(path)}
            assert not used & forbidden, f"{path} imports {used & forbidden}"


def test_files_are_small():
    sizes = {p: len(p.read_text().splitlines()) for d in ("dtd", "proofs", "experiments") for p in (ROOT / d).rglob("*.py")}
    large = {str(p): n for p, n in sizes.items() if n > 300}
    assert not large, f"one idea each, about 200 lines: {large}"
