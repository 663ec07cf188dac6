"""The interactive shell: history, several lines per statement, colours, completion."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style as PromptStyle
from pygments.lexers.sql import PostgresLexer

from restframe import __version__, errors
from restframe.cli.complete import SqlCompleter
from restframe.cli.console import Console, Leave
from restframe.cli.reporting import report
from restframe.cli.script import is_complete
from restframe.cli.table import Style

# Rows of a table shown to a person at once; \limit changes it.
_ROWS = 1000

# The terminal's own colours, which its user has chosen to be readable on its background.
_COLOURS = PromptStyle.from_dict(
    {
        "pygments.keyword": "ansiblue bold",
        "pygments.name.builtin": "ansicyan",
        "pygments.literal.string": "ansigreen",
        "pygments.literal.number": "ansimagenta",
        "pygments.comment": "ansibrightblack italic",
    }
)


def shell(console: Console) -> int:
    """Talk with a user until ctrl-D or \\q."""
    view = console.view
    view.timing, view.paged = True, True
    view.style = Style(colour=_has_colours(), limit=_ROWS)
    completer = SqlCompleter(console.session.catalog)
    prompt = _prompt(console, completer)
    print(f"restframe {__version__}, warehouse {console.session.settings.directory}. \\? for help, ctrl-D to leave.")
    while True:
        try:
            text = prompt.prompt(_marker(console))
        except KeyboardInterrupt:
            continue  # the line is given up
        except EOFError:
            return 0
        try:
            console.run(text)
        except Leave:
            return 0
        except errors.Error as error:
            report(error)
        completer.refresh()


def _prompt(console: Console, completer: SqlCompleter) -> PromptSession[str]:
    return PromptSession(
        history=_history(console.session.settings.directory),
        multiline=True,
        key_bindings=_keys(),
        lexer=PygmentsLexer(PostgresLexer),
        style=_COLOURS,
        color_depth=None if _has_colours() else ColorDepth.DEPTH_1_BIT,
        include_default_pygments_style=False,
        completer=completer,
        complete_while_typing=False,
        auto_suggest=AutoSuggestFromHistory(),
        prompt_continuation=lambda width, number, wrapped: " " * (width - 4) + "... ",
        enable_open_in_editor=True,
    )


def _keys() -> KeyBindings:
    """Enter runs what is complete and starts a new line otherwise; alt-enter always starts a new line."""
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None  # the choice is taken
        elif is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline()

    @keys.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.newline()

    return keys


def _marker(console: Console) -> str:
    """`dev=# `, as psql shows the database; `*` inside a transaction, `!` inside a failed one."""
    state = {"idle": "", "open": "*", "failed": "!"}[console.session.transaction]
    return f"{console.session.settings.database}={state}# "


def _history(directory: Path) -> History:
    """Beside the data, for its owner alone; in memory where that cannot be written."""
    path = directory / "history"
    try:
        path.touch(mode=0o600, exist_ok=True)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


def _has_colours() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
