"""The arrows of the house. A forbidden import fails here by name, wherever in a file it stands."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("contacts", "integrations", "rankr_dash", "tests")

# room → what of ours it may import. Everything not named is forbidden; a room may always import itself.
MAY = {
    "contacts": ("rankr_dash.htmx", "rankr_dash.shared_redis"),
    "integrations.ghl": (),
    "integrations.erp": (),
    "integrations.sandbox": (),
    "integrations.pretend_erp": (),
    "integrations": ("contacts", "rankr_dash.htmx", "rankr_dash.shared_redis", "rankr_dash.celery"),
    "rankr_dash": ("integrations.demo", "integrations.ghl.errors"),
    "rankr_dash.bench": ("contacts", "integrations", "rankr_dash"),  # measures the house from outside
}
# The command line wraps the sandbox; only this file may name it.
EXCEPTIONS = {("integrations/management/commands/sandbox.py", "integrations.sandbox")}


def room_of(module):
    return max((room for room in MAY if module == room or module.startswith(room + ".")), key=len, default=None)


def imports(path):
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: -node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def sources():
    for top in ("contacts", "integrations", "rankr_dash"):
        yield from (path for path in sorted((ROOT / top).rglob("*.py")) if "migrations" not in path.parts)


def offences():
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        here = room_of(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
        for module in imports(path):
            there = room_of(module)
            allowed = here == there or any(module == a or module.startswith(a + ".") for a in MAY[here])
            allowed = allowed or (here == "integrations" and there in ("integrations.ghl", "integrations.erp"))
            allowed = allowed or (here == "rankr_dash" and there == "rankr_dash.bench" and "/commands/" in name)
            allowed = allowed or any(name == f and module.startswith(m) for f, m in EXCEPTIONS)
            if there and not allowed:
                yield f"{name} imports {module}"


def test_the_arrows_hold():
    assert list(offences()) == []


@pytest.mark.parametrize(
    "room", ["integrations/ghl", "integrations/erp", "integrations/sandbox", "integrations/pretend_erp"]
)
def test_ghl_and_sandbox_need_no_django(room):
    named = {m for path in (ROOT / room).rglob("*.py") for m in imports(path) if m.split(".")[0] == "django"}
    assert not named


def test_every_file_can_be_read_in_one_sitting():
    long = [(p.relative_to(ROOT).as_posix(), n) for p in sources() if (n := len(p.read_text().splitlines())) > 480]
    assert not long
