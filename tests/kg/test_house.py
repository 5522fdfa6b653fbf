import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for package in ("kg", "gnn", "loaders") for path in (ROOT / package).rglob("*.py"))


def test_imports_point_one_way():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def public(tree: ast.Module):
    """Yield what a reader can call by name: modules, classes, functions and methods."""
    yield "module", tree
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node
            for method in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield f"{node.name}.{method.name}", method


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_public_says_what_it_is(path):
    silent = [name for name, node in public(ast.parse(path.read_text(encoding="utf-8"))) if not (ast.get_docstring(node) or "").strip(". ")]
    assert not silent


def test_nothing_global_is_configured_by_an_import():
    code = "import logging, kg.log, kg.config, kg.cli; assert not logging.getLogger().handlers"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
