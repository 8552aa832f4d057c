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


ROOMS = 13  # of experiments: files and folders at its top
LINES = 220  # of one file of experiments


def modules(*packages: str) -> dict[str, Path]:
    """Every module of some packages by its dotted name; a package's ``__init__`` has the package's name."""
    files = (path for package in packages for path in sorted((ROOT / package).rglob("*.py")))
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def arrows(found: dict[str, Path]) -> dict[str, set[str]]:
    """What a module imports of the others, anywhere in its file; ``from a import b`` is ``a.b`` where that is a module."""
    graph: dict[str, set[str]] = {}
    for module, path in found.items():
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{path}: imports are absolute here"
                inside = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
                names |= {full if full in found else node.module for full in inside.values()}
        graph[module] = names & found.keys() - {module}
    return graph


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle of a graph, its first node again at the end; empty where there is none."""
    done: set[str] = set()
    way: list[str] = []

    def walk(node: str) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        way.append(node)
        closed = next(filter(None, map(walk, sorted(graph[node]))), [])
        way.pop()
        done.add(node)
        return closed

    return next(filter(None, map(walk, sorted(graph))), [])


def test_a_circle_is_found_where_there_is_one():
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c", "d"}, "c": set(), "d": {"b"}}) == ["b", "d", "b"]


def test_no_imports_of_experiments_go_round_in_a_circle():
    found = modules("experiments", "hydra_plugins")
    assert {"experiments.runs.launch", "hydra_plugins.dtd_launcher"} <= found.keys()
    assert circle(arrows(found)) == []


def test_no_rooms_of_experiments_need_each_other():
    graph: dict[str, set[str]] = {}
    for module, names in arrows(modules("experiments")).items():
        room = ".".join(module.split(".")[:2])
        graph.setdefault(room, set()).update(".".join(name.split(".")[:2]) for name in names)
    assert circle({room: names - {room} for room, names in graph.items()}) == []


def test_experiments_imports_at_the_top_of_its_files():
    for path in modules("experiments", "hydra_plugins").values():
        for name, at_top in imports(path):
            assert at_top, f"{path} imports {name} inside a function"


def test_experiments_has_few_rooms_and_small_files():
    rooms = sorted(path.name for path in (ROOT / "experiments").iterdir() if path.name != "__pycache__")
    assert len(rooms) <= ROOMS, rooms
    sizes = {str(path): len(path.read_text().splitlines()) for path in modules("experiments", "hydra_plugins").values()}
    large = {path: lines for path, lines in sizes.items() if lines > LINES}
    assert not large, f"one idea each, at most {LINES} lines: {large}"
