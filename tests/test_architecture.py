"""The house stays as it was drawn: imports run one way, and the core needs no experiment's library."""

import ast
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOORS = (
    "errors callers algebra domain taylor propagation affine direction primitive root relevance lrp network plans fast "
    "explaining estimate audit neuralised plot"
).split()
ALLOWED = {"dtd/plot": {"matplotlib"}}  # pictures are drawn there and nowhere else, and it is imported when first used
FORBIDDEN = {
    "dtd": {"hydra", "omegaconf", "matplotlib", "sympy", "proofs", "experiments", "rich"},
    "proofs": {"experiments", "hydra"},
}


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every imported module of a file, and whether the import is at the top level."""
    tree = ast.parse(path.read_text())
    for_types = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    top = {*tree.body, *(node for each in for_types for node in each.body)}  # what a type checker alone reads is there too
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
            room = "/".join(path.relative_to(ROOT).parts[:2])
            wrong = used & forbidden - ALLOWED.get(room, set())
            assert not wrong, f"{path} imports {wrong}"


ROOMS = {"dtd": 20, "experiments": 13}  # files and folders at the top
LINES = 220  # of one file
PACKAGES = ("dtd", "proofs", "experiments", "hydra_plugins")


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


def test_no_imports_go_round_in_a_circle():
    found = modules(*PACKAGES)
    assert {"dtd.fast.kernels.passes", "experiments.runs.launch", "hydra_plugins.dtd_launcher"} <= found.keys()
    assert circle(arrows(found)) == []


def test_no_rooms_of_experiments_need_each_other():
    graph: dict[str, set[str]] = {}
    for module, names in arrows(modules("experiments")).items():
        room = ".".join(module.split(".")[:2])
        graph.setdefault(room, set()).update(".".join(name.split(".")[:2]) for name in names)
    assert circle({room: names - {room} for room, names in graph.items()}) == []


def test_imports_are_at_the_top_of_files():
    for path in modules(*PACKAGES).values():
        for name, at_top in imports(path):
            assert at_top, f"{path} imports {name} inside a function"


def test_there_are_few_rooms_and_small_files():
    for package, most in ROOMS.items():
        rooms = sorted(p.name for p in (ROOT / package).iterdir() if p.name not in ("__pycache__", "py.typed"))
        assert len(rooms) <= most, rooms
    sizes = {str(path): len(path.read_text().splitlines()) for path in modules(*PACKAGES).values()}
    large = {path: lines for path, lines in sizes.items() if lines > LINES}
    assert not large, f"one idea each, at most {LINES} lines: {large}"


def defined(path: Path) -> set[str]:
    """Names that a file defines at its top level: functions, classes and constants."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names - {"_", "__all__"}


def test_a_name_stands_for_one_thing_in_dtd():
    places: dict[str, list[str]] = {}
    for module, path in modules("dtd").items():
        for name in defined(path):
            places.setdefault(name, []).append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_speed_stands_above_meaning():
    """Nothing that `dtd.fast` is built on imports it: it could be taken out."""
    below = FLOORS[: FLOORS.index("fast")]
    for module, names in arrows(modules("dtd")).items():
        if module.split(".")[1:2] and module.split(".")[1] in below:
            assert not [name for name in names if name.startswith("dtd.fast")], module


def subclasses(cls: type) -> set[type]:
    """All classes below one."""
    return {below for child in type.__subclasses__(cls) for below in (child, *subclasses(child))}


def test_no_subclass_overrides_a_final_method():
    for module in modules("dtd", "proofs"):
        import_module(module)
    for cls in subclasses(object):
        if str(cls.__module__).split(".")[0] in ("dtd", "proofs", "tests"):
            for name in vars(cls):
                final = [base for base in cls.__mro__[1:] if getattr(vars(base).get(name), "__final__", False)]
                assert not final, f"{cls} overrides {name}, which is final in {final}"
