"""Read a file of answers: a YAML mapping from the names of the questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ozone_gen.diagnostics import OzoneError, codes, did_you_mean
from ozone_gen.new_site.questions import Answers, Question, problem
from ozone_gen.source import read_source


def read_answers(path: Path, asked: Sequence[Question]) -> Answers:
    """The answers in a file.

    Raises OzoneError with a finding for each name that is none of a question, and each answer that does not fit.
    """
    source = read_source(path)
    by_name = {question.name: question for question in asked}
    answers: Answers = {}
    findings = []
    for name, value in source.data.items():
        question = by_name.get(name)
        if question is None:
            position, message = source.position((name,), key=True), f"no question is called `{name}`"
            findings.append(codes.NotAnAnswer.at(position, message, path=(name,), hint=did_you_mean(name, by_name)))
            continue
        answer = _plain(value)
        if wrong := problem(question, answer):
            findings.append(codes.NotAnAnswer.at(source.position((name,)), wrong, path=(name,), hint=question.text))
        else:
            answers[name] = answer
    if findings:
        raise OzoneError(findings)
    return answers


def _plain(value: Any) -> Any:
    """A list of locales is as good as a text with commas, a version without quotes is a number."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(each) for each in value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
