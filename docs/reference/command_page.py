"""The page of the commands, out of what click knows of them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from ozone_gen.cli import all_commands

HEAD = """\
# Commands

`ozone-gen COMMAND --help` says the same.

Exit codes: 0 clean, 1 findings or differences, 2 it could not run, 130 interrupted, 141 nobody reads what is printed.
Where a command has others, it says so. Findings go to standard error, but for those of `validate`, which are what it
prints.

"""


def command_page() -> str:
    """All commands by their names."""
    parts = [HEAD, "| command | |\n|---|---|\n"]
    parts += [f"| [`{name}`](#{name}) | {first_line(command)} |\n" for name, command in sorted(all_commands().items())]
    for name, command in sorted(all_commands().items()):
        parts += ["\n", *section(name, command)]
    return "".join(parts)


def section(name: str, command: click.Command) -> Iterator[str]:
    """What one command does, what it takes, and examples."""
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    options = [each for each in command.params if isinstance(each, click.Option)]
    usage = " ".join(("ozone-gen", name, "[OPTIONS]", *map(written, arguments)))
    yield f"## {name}\n\n```text\n{usage}\n```\n\n{help_text(command)}\n\n"
    choices = [(each, each.type.choices) for each in arguments if isinstance(each.type, click.Choice)]
    for argument, allowed in choices:
        yield f"`{(argument.name or '').upper()}` is one of {listed(allowed)}; the default is `{argument.default}`.\n\n"
    if options:
        yield "| option | value | default | |\n|---|---|---|---|\n"
        yield from map(row, options)
        yield "\n"
    lines = [line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  ")]
    if lines:
        yield "\n".join(("```sh", *lines, "```", ""))


def first_line(command: click.Command) -> str:
    """What it does, in a sentence."""
    return help_text(command).split("\n\n")[0].replace("\n", " ")


def help_text(command: click.Command) -> str:
    """The help as it stands in the source."""
    return inspect.cleandoc(command.help or "").replace("\b\n", "")


def written(argument: click.Argument) -> str:
    """An argument as the usage shows it."""
    name = argument.metavar or (argument.name or "").upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def row(option: click.Option) -> str:
    """A row of the table of options."""
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    about = (option.help or "").replace("|", "&#124;")
    if isinstance(option.envvar, str):
        about += f" The variable `{option.envvar}` says it, too."
    return f"| {names} | {value(option)} | {default(option)} | {about} |\n"


def value(option: click.Option) -> str:
    """What the option takes; nothing for a flag."""
    if option.is_flag:
        return ""
    kind = option.type
    words = "text"
    if isinstance(kind, click.Choice):
        words = listed(kind.choices)
    elif isinstance(kind, click.IntRange | click.FloatRange):
        words = f"a number, {kind.min} to {kind.max}" if kind.max is not None else f"a number from {kind.min}"
    elif isinstance(kind, click.Path):
        words = "a path"
    elif option.metavar:
        words = f"`{option.metavar}`"
    return f"{words}; more than once" if option.multiple else words


def default(option: click.Option) -> str:
    """What holds where it is not given."""
    if option.required:
        return "(required)"
    if option.is_flag or not option.show_default:
        return ""
    found = option.default
    return ", ".join(f"`{each}`" for each in (found if isinstance(found, tuple) else (found,)))


def listed(words: object) -> str:
    """Words as code, in a row."""
    assert isinstance(words, list | tuple)
    return ", ".join(f"`{word}`" for word in words)
