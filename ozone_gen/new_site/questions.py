"""What is asked for a new site: the variables of the template's cookiecutter.json, and what each answer may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cookiecutter.generate import generate_context
from cookiecutter.prompt import render_variable
from cookiecutter.utils import create_env_with_context

from ozone_gen.checks import timezone_problem
from ozone_gen.diagnostics import did_you_mean
from ozone_gen.new_site.importing import extensions_of
from ozone_gen.resources import templates
from ozone_gen.values import FORMS, HOST_PATTERN, LINE_PATTERN, LOCALE_PATTERN, SITE_ID_PATTERN, site_id_of

Answer = str | bool
Answers = dict[str, Answer]

COUNTRY_PATTERN: Final = r"^[A-Za-z]{2}$"

LAYOUT: Final = "layout"
SITE: Final = "site"
FLEET: Final = "fleet"
FLEET_SITE: Final = "fleet-site"

# Options of the command say these, not answers.
_SAID_BY_OPTIONS: Final = (LAYOUT, "base", "folder")
# What a site of a repository says for itself; all else stands in the base.
_OF_A_FLEET_SITE: Final = ("site_name", "site_id", "country", "timezone", "source", "source_host")
_PATTERNS: Final[Mapping[str, tuple[str, str]]] = {
    "site_name": (LINE_PATTERN, FORMS[LINE_PATTERN]),
    "site_id": (SITE_ID_PATTERN, FORMS[SITE_ID_PATTERN]),
    "country": (COUNTRY_PATTERN, "a country's two letters such as KE"),
    "source_host": (HOST_PATTERN, FORMS[HOST_PATTERN]),
    "sink_host": (HOST_PATTERN, FORMS[HOST_PATTERN]),
}


@dataclass(frozen=True)
class Question:
    """A variable of the template.

    Attributes:
        name: as answers files call it.
        text: the question.
        default: its default as cookiecutter.json has it: a text in Jinja, a truth value; of choices the first.
        choices: what can be chosen, with a sentence for each; empty where the answer is free.
    """

    name: str
    text: str
    default: Answer
    choices: Mapping[str, str]

    @property
    def is_yes_or_no(self) -> bool:
        """Whether it is answered by yes or no."""
        return isinstance(self.default, bool)


def template() -> Path:
    """The folder of the template."""
    return templates() / "new-site"


def context() -> dict[str, Any]:
    """The template's variables, as cookiecutter reads them."""
    read: dict[str, Any] = generate_context(str(template() / "cookiecutter.json"))["cookiecutter"]
    return read


def questions() -> tuple[Question, ...]:
    """All questions, in their order."""
    return tuple(_questions(context()))


def _questions(variables: Mapping[str, Any]) -> Iterator[Question]:
    prompts = variables["__prompts__"]
    for name, default in variables.items():
        if name.startswith("_") or name in _SAID_BY_OPTIONS:
            continue
        prompt = prompts[name]
        if isinstance(default, list):
            texts = prompt if isinstance(prompt, dict) else {"__prompt__": prompt}
            yield Question(name, texts["__prompt__"], default[0], {each: texts.get(each, "") for each in default})
        else:
            yield Question(name, prompt, default, {})


def applies(question: Question, answers: Mapping[str, Answer]) -> bool:
    """Whether a question makes sense after the answers before it, among which is the layout."""
    if answers[LAYOUT] == FLEET_SITE and question.name not in _OF_A_FLEET_SITE:
        return False
    if question.name == "source_host":
        return answers["source"] != "demo"
    if question.name == "sink_host":
        return answers["sink"] == "own"
    return True


def answers_of_folder(folder: Path) -> Answers:
    """What a site's folder is called is a good id, and a name to start from."""
    name = folder.absolute().name
    found = site_id_of(name)
    return {"site_name": name, **({"site_id": found} if found else {})}


def default_of(question: Question, answers: Mapping[str, Answer]) -> Answer:
    """The default of a question after the answers before it."""
    if not isinstance(question.default, str) or "{" not in question.default:
        return question.default
    with extensions_of(template()):
        environment = create_env_with_context({"cookiecutter": context()})
        rendered: str = render_variable(environment, question.default, dict(answers))
    return rendered or question.name.replace("_", "-")  # a name of signs alone leaves nothing of itself


def problem(question: Question, answer: object) -> str:
    """What is wrong with an answer, on one line; empty where nothing is."""
    if question.is_yes_or_no:
        return "" if isinstance(answer, bool) else "it is answered by true or false"
    if question.choices:
        near = did_you_mean(str(answer), question.choices)
        return "" if answer in question.choices else f"there is no choice `{answer}`; {near}"
    if not isinstance(answer, str):
        return "it is answered by a text"
    if question.name == "timezone":
        return timezone_problem(answer)
    if question.name == "locales":
        wrong = [each.strip() for each in answer.split(",") if not re.fullmatch(LOCALE_PATTERN, each.strip())]
        return f"`{wrong[0]}` is not {FORMS[LOCALE_PATTERN]}" if wrong else ""
    pattern, words = _PATTERNS[question.name]
    fits = re.fullmatch(pattern, answer) and len(answer) <= 255
    return "" if fits else f"{answer!r} is not {words}"
