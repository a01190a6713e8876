"""Every code that an error may carry is explained to whoever writes a client, and no other is sent."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

import pytest

from domain.errors import ProblemCode
from graph.codes import Code

from .code import python_files, tree
from .error_page import rows

LISTED = {*map(str, Code), *map(str, ProblemCode)}
# What a WebSocket is closed with is a number, not an error's code.
SOCKETS_CLOSE = "websocket.close"


def unlisted(module: ast.Module) -> Iterator[str]:
    """Every `"code":` of a dictionary that is neither a member of the lists, nor said by one."""
    for node in ast.walk(module):
        if isinstance(node, ast.Dict) and not _closes(node):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code" and not _is_listed(value):
                    yield f"{value.lineno} {ast.unparse(value)}"
        elif isinstance(node, ast.Assign) and _sets(node) and not _is_listed(node.value):
            yield f"{node.lineno} {ast.unparse(node.value)}"


def _sets(node: ast.Assign) -> bool:
    return any(ast.unparse(each).endswith("['code']") for each in node.targets)


def _closes(node: ast.Dict) -> bool:
    return any(isinstance(value, ast.Constant) and value.value == SOCKETS_CLOSE for value in node.values)


def _is_listed(value: ast.expr) -> bool:
    """A text of the lists, `Code.X`, `ProblemCode.X`, or what a variable or an attribute named `code` holds: one of those."""
    if isinstance(value, ast.Constant):
        return value.value in LISTED
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "str" and len(value.args) == 1:
        return _is_listed(value.args[0])
    if isinstance(value, ast.Attribute) and ast.unparse(value.value) in ("Code", "ProblemCode"):
        return value.attr in LISTED
    return (isinstance(value, ast.Name) and value.id == "code") or (isinstance(value, ast.Attribute) and value.attr == "code")


def test_the_page_of_errors_explains_each_code_once() -> None:
    assert Counter(row.code for row in rows()) == Counter([*map(str, Code), *map(str, ProblemCode)])


def test_each_code_says_what_happened_and_what_to_do() -> None:
    operations = {str(code) for code in Code}
    assert [row.code for row in rows() if len(row.cells) != (4 if row.code in operations else 2) or not all(row.cells)] == []


def test_no_error_carries_a_code_that_is_not_listed() -> None:
    assert [f"{path}:{place}" for path in python_files("graph") for place in unlisted(tree(path))] == []


def test_the_two_lists_do_not_overlap() -> None:
    assert set(map(str, Code)) & set(map(str, ProblemCode)) == set()
    assert all(code.name == code.value for code in Code)


@pytest.mark.parametrize(
    "line",
    [
        'GraphQLError(message, extensions={"code": "SURPRISE"})',
        'extensions = {"code": "NOT_THERE", **more}',
        'error.extensions = {"code": str(Code.SURPRISE)}',
        'said["code"] = "SURPRISE"',
        'extensions = {"code": f"{kind}_FAILED"}',
        'extensions = {"code": type(error).__name__}',
    ],
)
def test_a_code_that_is_not_listed_is_seen(line: str) -> None:
    assert len(list(unlisted(ast.parse(line)))) == 1


@pytest.mark.parametrize(
    "line",
    [
        'extensions = {"code": "TIMEOUT"}',
        'extensions = {"code": str(Code.TIMEOUT), "maximum": 5}',
        'extensions = {"code": ProblemCode.MALFORMED}',
        'extensions = {"code": str(code), **extensions}',
        'said = {"message": refused.message, "code": refused.code}',
        'send({"type": "websocket.close", "code": 1008})',
    ],
)
def test_a_code_of_the_lists_is_none(line: str) -> None:
    assert list(unlisted(ast.parse(line))) == []


def test_a_missing_and_a_strange_line_of_the_page_are_seen() -> None:
    text = "| `TIMEOUT` | It. | 503 | 503 | Wait |\n| `TIMEOUT` | Again. | 1 | 2 | 3 |\n| ODD | x |\n`LOOSE`"
    assert [row.code for row in rows(text)] == ["TIMEOUT", "TIMEOUT"]
