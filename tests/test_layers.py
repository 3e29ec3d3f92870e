"""The shape of the package, as docs/architecture.md tells it: layers, sizes, edges.

Each rule is a function from modules to violations, so that it can be shown to bite.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "cibgit"

# Each layer may import itself and what stands above it here.
LAYERS = (
    ("cibgit", "errors", "exitcodes", "programs"),
    ("cib",),
    ("corosync",),
    ("compare",),
    ("policy",),
    ("config",),
    ("cluster",),
    (
        *(
            "commit",
            "commits",
            "gitcall",
            "replay",
            "revisions",
            "branches",
            "remotes",
            "repository",
            "runner",
            "bare",
        ),
        *("gitconfig", "vault", "age", "providers", "tags"),
    ),
    ("flow",),
    ("render",),
    ("cli", "__main__"),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
EDGE = ("cli", "__main__")
KNOWS_XML = ("cib", "compare", "cluster")
XML = ("lxml", "xml")
# 3 ms that only a diff with leftovers has to pay.
LATE = {("cibgit.compare.similar", "xmldiff.diff")}
GIT = ("git", "gitdb")
# What a cluster is may be shown, how it is reached may not.
RENDER_MAY_SEE = "cibgit.cluster.protocol"
PRINTS = {"print", "typer.echo", "typer.secho", "click.echo", "sys.stdout.write"}
ENVIRONMENT = {"environ", "environb", "getenv", "putenv", "unsetenv"}
NO_NAMES = {"common", "core", "helper", "helpers", "manager", "util", "utils"}
MODULE_LINES = 400
FUNCTION_LINES = 60


class Import(NamedTuple):
    """One imported module and whether a function does it, so late."""

    module: str
    line: int
    late: bool


class Module(NamedTuple):
    """One file of the package, parsed."""

    name: str
    is_package: bool
    text: str
    tree: ast.Module

    @property
    def layer(self) -> str:
        return layer_of(self.name)

    def at(self, line: int, what: str) -> str:
        return f"{self.name}:{line}: {what}"


def layer_of(module: str) -> str:
    return module.split(".")[1] if "." in module else module


def parse(name: str, text: str, *, is_package: bool = False) -> Module:
    return Module(name, is_package, text, ast.parse(text))


def read_package() -> list[Module]:
    modules = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        modules.append(parse(name, path.read_text(), is_package=is_package))
    return modules


def imports_of(module: Module, names: set[str]) -> Iterator[Import]:
    """Yield what a module imports; names of the package are resolved to modules."""
    late = {
        id(node)
        for function in functions_of(module)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, id(node) in late)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, node)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(
                    full if full in names else base, node.lineno, id(node) in late
                )


def absolute(module: Module, node: ast.ImportFrom) -> str:
    """Return the full name of what stands between ``from`` and ``import``."""
    if not node.level:
        return node.module or ""
    up = node.level - (1 if module.is_package else 0)
    package = module.name.split(".")[: -up or None]
    return ".".join([*package, *([node.module] if node.module else [])])


def functions_of(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def all_imports(modules: list[Module]) -> Iterator[tuple[Module, Import]]:
    names = {module.name for module in modules}
    for module in modules:
        for imported in imports_of(module, names):
            yield module, imported


def top(name: str) -> str:
    return name.partition(".")[0]


def internal(name: str) -> bool:
    return top(name) == "cibgit"


# The rules


def strangers(modules: list[Module]) -> Iterable[str]:
    """Every module belongs to a layer."""
    return [module.name for module in modules if module.layer not in LEVEL]


def upward_imports(modules: list[Module]) -> Iterable[str]:
    """A module imports from its own layer or an earlier one."""
    return [
        module.at(imported.line, f"imports {imported.module}, a later layer")
        for module, imported in all_imports(modules)
        if internal(imported.module)
        and LEVEL.get(layer_of(imported.module), 99) > LEVEL.get(module.layer, -1)
    ]


def rendered_adapters(modules: list[Module]) -> Iterable[str]:
    """What renders does not reach for clusters."""
    return [
        module.at(imported.line, f"imports {imported.module}")
        for module, imported in all_imports(modules)
        if module.layer == "render"
        and internal(imported.module)
        and layer_of(imported.module) == "cluster"
        and imported.module != RENDER_MAY_SEE
    ]


def cycles(modules: list[Module]) -> Iterable[str]:
    """No import leads back, not even a late one."""
    graph: dict[str, set[str]] = {module.name: set() for module in modules}
    for module, imported in all_imports(modules):
        if imported.module in graph and imported.module != module.name:
            graph[module.name].add(imported.module)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" <- ".join(error.args[1])]
    return []


def late_imports(modules: list[Module]) -> Iterable[str]:
    """Only the command line delays an import, for the time that its start takes."""
    return [
        module.at(imported.line, f"imports {imported.module} in a function")
        for module, imported in all_imports(modules)
        if imported.late
        and module.layer not in EDGE
        and (module.name, imported.module) not in LATE
    ]


def git_imports(modules: list[Module]) -> Iterable[str]:
    """One module knows GitPython."""
    return [
        module.at(imported.line, f"imports {imported.module}")
        for module, imported in all_imports(modules)
        if top(imported.module) in GIT and module.name != "cibgit.repository"
    ]


def xml_imports(modules: list[Module]) -> Iterable[str]:
    """Elements of XML stay where CIBs are read, compared and written."""
    return [
        module.at(imported.line, f"imports {imported.module}")
        for module, imported in all_imports(modules)
        if top(imported.module) in XML and module.layer not in KNOWS_XML
    ]


def prints(modules: list[Module]) -> Iterable[str]:
    """Only the command line prints."""
    return [
        module.at(node.lineno, ast.unparse(node.func))
        for module in modules
        if module.layer not in EDGE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in PRINTS
    ]


def environment(modules: list[Module]) -> Iterable[str]:
    """Only the command line reads the environment."""
    return [
        module.at(node.lineno, ast.unparse(node))
        for module in modules
        if module.layer not in EDGE
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute | ast.ImportFrom) and reads_environment(node)
    ]


def reads_environment(node: ast.Attribute | ast.ImportFrom) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ENVIRONMENT and ast.unparse(node.value) == "os"
    return node.module == "os" and any(a.name in ENVIRONMENT for a in node.names)


def long_modules(modules: list[Module]) -> Iterable[str]:
    """A module is read in one sitting."""
    return [
        f"{module.name}: {count} lines"
        for module in modules
        if (count := len(module.text.splitlines())) > MODULE_LINES
    ]


def long_functions(modules: list[Module]) -> Iterable[str]:
    """A function fits on a screen."""
    return [
        module.at(function.lineno, f"{function.name} has {count} lines")
        for module in modules
        for function in functions_of(module)
        if (count := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    ]


def empty_names(modules: list[Module]) -> Iterable[str]:
    """A name says what is inside."""
    return [module.name for module in modules if NO_NAMES & set(module.name.split("."))]


Rule = Callable[[list[Module]], Iterable[str]]
RULES: list[Rule] = [
    strangers,
    upward_imports,
    rendered_adapters,
    cycles,
    late_imports,
    git_imports,
    xml_imports,
    prints,
    environment,
    long_modules,
    long_functions,
    empty_names,
]


@pytest.fixture(scope="module")
def package() -> list[Module]:
    modules = read_package()
    assert {"cibgit", "cibgit.errors", "cibgit.cib.document"} <= {
        module.name for module in modules
    }
    return modules


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Rule, package: list[Module]) -> None:
    assert list(rule(package)) == [], rule.__doc__


# What breaks each rule: a module's name and its text.
BREAKS: list[tuple[Rule, str, str]] = [
    (strangers, "cibgit.plugins", ""),
    (upward_imports, "cibgit.cib.x", "from ..flow.plan import Plan"),
    (upward_imports, "cibgit.cib.x", "from .. import repository"),
    (upward_imports, "cibgit.flow.x", "import cibgit.cli"),
    (upward_imports, "cibgit.policy.x", "def f():\n    from ..config import Config"),
    (rendered_adapters, "cibgit.render.x", "from ..cluster.local import Local"),
    (cycles, "cibgit.repository", "from .gitcall import x"),
    (late_imports, "cibgit.flow.x", "def f():\n    import json"),
    (late_imports, "cibgit.compare.x", "def f():\n    from xmldiff.diff import Differ"),
    (late_imports, "cibgit.compare.similar", "def f():\n    import json"),
    (git_imports, "cibgit.flow.x", "from git import Repo"),
    (git_imports, "cibgit.gitcall", "import git.exc"),
    (xml_imports, "cibgit.flow.x", "from lxml import etree"),
    (xml_imports, "cibgit.render.x", "import xml.etree.ElementTree as ET"),
    (prints, "cibgit.flow.x", "print(1)"),
    (prints, "cibgit.render.x", "typer.echo(1)"),
    (environment, "cibgit.cluster.x", "os.environ['HOME']"),
    (environment, "cibgit.config", "os.getenv('HOME')"),
    (environment, "cibgit.config", "from os import environ"),
    (long_modules, "cibgit.cib.x", "\n" * 401),
    (long_functions, "cibgit.cib.x", "def f():\n" + "    0\n" * 60),
    (empty_names, "cibgit.cib.utils", ""),
    (empty_names, "cibgit.core.x", ""),
]


@pytest.mark.parametrize(("rule", "name", "text"), BREAKS)
def test_the_rule_bites(rule: Rule, name: str, text: str) -> None:
    others = [
        parse("cibgit.gitcall", "from .repository import y"),
        parse("cibgit.repository", ""),
        parse("cibgit.config", ""),
        parse("cibgit.flow.plan", ""),
    ]
    modules = [*(other for other in others if other.name != name), parse(name, text)]
    assert rule(modules), f"{rule.__name__} finds nothing in: {text}"


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (upward_imports, "cibgit.flow.x", "from ..cib import document"),
        (upward_imports, "cibgit.cli.x", "from ..cluster.local import Local"),
        (rendered_adapters, "cibgit.render.x", "from ..cluster.protocol import Copy"),
        (late_imports, "cibgit.cli.x", "def f():\n    import json"),
        (git_imports, "cibgit.repository", "from git import Git"),
        (xml_imports, "cibgit.cib.x", "from lxml import etree"),
        (prints, "cibgit.cli.x", "print(1)"),
        (environment, "cibgit.cli.x", "os.environ"),
        (environment, "cibgit.flow.x", "def f(environ): environ['HOME']"),
        (long_functions, "cibgit.cib.x", "def f():\n" + "    0\n" * 59),
        (long_modules, "cibgit.cib.x", "\n" * 400),
    ],
)
def test_the_rule_lets_pass(rule: Rule, name: str, text: str) -> None:
    assert list(rule([parse(name, text)])) == []


def test_a_package_imports_relative_to_itself() -> None:
    init = parse("cibgit.cib", "from . import x\nfrom .y import z", is_package=True)
    found = imports_of(init, {"cibgit.cib", "cibgit.cib.x", "cibgit.cib.y"})
    assert [imported.module for imported in found] == ["cibgit.cib.x", "cibgit.cib.y"]
