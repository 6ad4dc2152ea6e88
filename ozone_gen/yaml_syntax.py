"""ruamel.yaml's syntax errors in the words of someone who writes a configuration file.

The parser names its tokens (`expected <block end>, but found '<scalar>'`) and where it stopped. What a person
needs is what is wrong, and often a place further up: the quote or bracket that was never closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError


@dataclass(frozen=True)
class SyntaxFault:
    """What is wrong with a file's YAML, where (`line` and `column` are 1-based), and how to mend it."""

    line: int
    column: int
    message: str
    hint: str


@dataclass(frozen=True)
class _Rule:
    """How to say what ruamel.yaml says as `problem` (or, if `in_context`, as the context of one).

    In the message and the hint `{0}` is the problem's first group, `{rest}` the text where it stopped, and
    `{begun}` the line where the construct begins. The fault is located there if `at_beginning`.
    """

    problem: str
    message: str
    hint: str = ""
    at_beginning: bool = False
    in_context: bool = False


_RULES = (
    _Rule(
        "found unexpected (?:end of stream|document separator)",
        "the quote that opens here is never closed",
        "close it; in a text with a quote in it, use quotes of the other kind around it",
        at_beginning=True,
    ),
    _Rule(
        r"expected ',' or '(.)', but got",
        "the bracket that opens in line {begun} has no {0} before this, or a comma is missing",
        "put a comma between items, and quotes around a text with brackets or a comma in it",
    ),
    _Rule(
        "expected the node content, but found '<stream end>'",
        "the file ends before a bracket is closed",
        "close every bracket that is open",
    ),
    _Rule(
        "expected the node content, but found '(.+)'",
        "a value is missing before {0}",
        "write a value, or null; put quotes around a text that begins with {0}",
    ),
    _Rule(
        "could not find expected ':'",
        "this is neither a key with a colon nor part of a value",
        "write `key: value`; a text that goes on in the next line has to be indented there",
        at_beginning=True,
    ),
    _Rule(
        "mapping values are not allowed here",
        "there is a second colon in the line, or a key that is not in the column of its neighbours",
        'put quotes around a value with ": " in it; begin keys of one mapping in one column',
    ),
    _Rule(
        "sequence entries are not allowed here",
        "a list cannot begin here",
        "begin the list in a line of its own",
    ),
    _Rule(
        "expected <block end>, but found '(?:-|\\?|<block mapping start>|<block sequence start>)'",
        "this does not fit what begins in line {begun}: wrong indentation, or a list meets a mapping",
        "begin the keys of one mapping, or the items of one list, in one column",
    ),
    _Rule(
        "expected <block end>, but found",
        "something follows a value that is complete",
        "put quotes around the whole value, and write '' for a ' inside single quotes",
    ),
    _Rule(
        "found character .+ that cannot start any token",
        "a value cannot begin with {rest}",
        "put quotes around the value",
    ),
    _Rule(
        "found unknown escape character",
        "\\{rest} means nothing inside double quotes",
        "write \\\\ for a backslash, or use single quotes",
    ),
    _Rule(
        "expected escape sequence",
        "the number of a character is incomplete",
        "write \\xHH, \\uHHHH or \\UHHHHHHHH with hexadecimal digits",
    ),
    _Rule(
        "while scanning an (?:alias|anchor)",
        "* and & begin the name of an alias or an anchor, and there is none",
        "put quotes around a value that begins with * or &",
        at_beginning=True,
        in_context=True,
    ),
    _Rule(
        "while scanning a block scalar",
        "| and > begin a text of several lines, and nothing else may follow in the line",
        "put quotes around a value that begins with | or >",
        in_context=True,
    ),
    _Rule(
        "found undefined tag handle|while (?:scanning|parsing) an? tag",
        "! begins a tag, and this one is not known",
        "put quotes around a value that begins with !",
        in_context=True,
    ),
    _Rule(
        "while scanning a directive|incompatible YAML document",
        "a line that begins with % is a directive, and this one is not known",
        "remove the line",
        in_context=True,
    ),
)


def in_plain_words(error: MarkedYAMLError, text: str) -> SyntaxFault:
    """The fault that the parser found in `text`."""
    problem, context = error.problem or "", error.context or ""
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    beginning = error.context_mark or mark
    begun = (beginning.line + 1, beginning.column + 1) if beginning else (line, column)
    lines = text.split("\n")
    current = lines[line - 1] if line <= len(lines) else ""
    before, rest = current[: column - 1], current[column - 1 :]

    indentation = current[: len(current) - len(current.lstrip())]
    if "\t" in indentation:
        column = indentation.index("\t") + 1
        return SyntaxFault(line, column, "a tab stands in the indentation", "indent with spaces")
    if before.endswith("$") and rest.startswith("{") and "expected ','" in problem:
        variable = "$" + rest[: rest.find("}") + 1]
        message = f"inside {{ }} and [ ] the variable {variable} needs quotes"
        return SyntaxFault(line, column - 1, message, f'write "{variable}"')
    for rule in _RULES:
        found = re.search(rule.problem, problem) or (rule.in_context and re.search(rule.problem, context))
        if found:
            values = {"rest": rest[:1], "begun": begun[0]}
            message, hint = (each.format(*found.groups(), **values) for each in (rule.message, rule.hint))
            return SyntaxFault(*(begun if rule.at_beginning else (line, column)), message, hint)
    return SyntaxFault(line, column, problem.partition("\n")[0] or "this is not valid YAML", "")
