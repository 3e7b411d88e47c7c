"""What a statement is, said early and in plain words. This is no wall: what passes here still meets the role's privileges."""

import re

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.visitors import Ancestor, Visitor

from aya.errors import StatementRefused

READING = (ast.SelectStmt, ast.VariableShowStmt)
BLANK = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\()+", re.S)
ONLY_READING = "Only SELECT, WITH, TABLE, VALUES, SHOW, and EXPLAIN of these can be run."


def refuse_unless_reading(sql: str) -> None:
    """Raise StatementRefused unless a text may be one statement that reads. What the parser does not understand is left to
    PostgreSQL, which says best what is wrong with it.
    """
    try:
        found = parse_sql(sql)
    except ParseError:
        return
    if len(found) != 1:
        raise StatementRefused(
            f"The text holds {len(found)} statements; one is run at a time."
            if found
            else "The text holds no statement.",
            remedy="Ask them one by one." if found else ONLY_READING,
        )
    statement = found[0].stmt
    if isinstance(statement, ast.ExplainStmt):
        if not isinstance(statement.query, READING):
            raise StatementRefused(f"EXPLAIN of {_word(statement.query)} is not run.", remedy=ONLY_READING)
        statement = statement.query
    elif not isinstance(statement, READING):
        raise StatementRefused(
            f"{_first_word(sql[found[0].stmt_location :])} does more than read.", remedy=ONLY_READING
        )
    try:
        _Reading()(statement)
    except RecursionError:  # too deep to be looked through; the wall stands
        return


class _Reading(Visitor):
    """Looks through a statement for parts that write or lock."""

    def visit_SelectStmt(self, _: Ancestor, node: ast.SelectStmt) -> None:  # noqa: N802
        if node.intoClause is not None:
            raise StatementRefused("SELECT INTO makes a table.", remedy="Leave INTO out: the rows are the answer.")
        if node.lockingClause:
            raise StatementRefused("FOR UPDATE and FOR SHARE lock rows.", remedy="Leave it out: reading needs no lock.")

    def _writes(self, _: Ancestor, node: ast.Node) -> None:
        raise StatementRefused(f"A part of the statement, {_word(node)}, writes.", remedy=ONLY_READING)

    visit_InsertStmt = visit_UpdateStmt = visit_DeleteStmt = visit_MergeStmt = _writes  # noqa: N815


def _word(node: object) -> str:
    """What a node is called in SQL: `CREATE TABLE AS` for CreateTableAsStmt."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(node).__name__.removesuffix("Stmt")).upper()


def _first_word(sql: str) -> str:
    blank = BLANK.match(sql)
    word = re.match(r"\w+", sql[blank.end() if blank else 0 :])
    return word[0].upper() if word else "This statement"
