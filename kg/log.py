"""The log: progress and events on standard error, as text or as JSON lines, without personal identifiers.

Every event passes ``scrub`` on its way out, whatever wrote it: a mistake elsewhere must not put an
identity card, a phone, a bank card or an e-mail address on a disk that the keys do not guard.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import FilteringBoundLogger

from kg.personal import EMAIL, FORMS, NARROW, WIDE, Form

#: What an identifier is called here, by its form; whatever else has thirteen digits may be an account.
_NAMES = {"email": "e-mail", "id": "identity card"}
_FORMS = (*FORMS, Form("card", "[0-9]{13,}"))
# Tokens, digests and named records hold long numbers beside letters, amounts behind a point; those are left alone.
_NUMBERS = "|".join(f"(?P<{form.name}{place}>{form.pattern})" for place, form in enumerate(_FORMS))
_PERSONAL = re.compile(
    rf"(?P<kept>uscc:[0-9A-Z]{{18}}(?![0-9A-Za-z]))|(?<![0-9A-Za-z._%+-])(?P<email>{EMAIL})"
    rf"|(?<![0-9A-Za-z])(?<![0-9][.])(?:{_NUMBERS})(?![0-9A-Za-z])"
)
_NARROWED = str.maketrans(WIDE, NARROW)


def scrub(text: str) -> str:
    """Return the text with identity cards, phones, card numbers and e-mail addresses taken out.

    >>> scrub("call 138.0013.8000 or mail li@example.cn about 11010519491231002X")
    'call <phone> or mail <e-mail> about <identity card>'
    >>> scrub("account 6222020200112233445 of company:uscc:911100007109310534")
    'account <card> of company:uscc:911100007109310534'
    """
    return _PERSONAL.sub(_masked, text.translate(_NARROWED))


def _masked(found: re.Match[str]) -> str:
    name = str(found.lastgroup).rstrip("0123456789")
    return found[0] if name == "kept" else f"<{_NAMES.get(name, name)}>"


def scrubbed(value: Any) -> Any:
    """Return a value of an event with every text in it scrubbed; numbers, which are counts and sums, are kept.

    >>> scrubbed({"rows": 3, "about": ["13800138000"]})
    {'rows': 3, 'about': ['<phone>']}
    """
    if isinstance(value, dict):
        return {key: scrubbed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [scrubbed(item) for item in value]
    return value if isinstance(value, (int, float)) or value is None else scrub(str(value))


def _scrub_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: scrub(key_value) if isinstance(key_value, str) else scrubbed(key_value) for key, key_value in event.items()}


class _StandardError:
    """Standard error as it is at each line, so that a progress bar on the terminal can step aside."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def logger(level: str = "info", form: str = "text", stream: TextIO | None = None) -> FilteringBoundLogger:
    """Return a logger; it is passed to whoever logs, there is no global one.

    Parameters
    ----------
    level
        ``debug``, ``info``, ``warning`` or ``error``: what is less than this is left out.
    form
        ``text`` (coloured on a terminal, plain lines elsewhere) or ``json`` (one object a line).
    stream
        Where it writes; standard error where it is not given.
    """
    out: Any = stream or _StandardError()
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(file=out),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _scrub_event,
            _json if form == "json" else _text(stream or sys.stderr),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    return log


def _json(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, default=str)


def _text(stream: TextIO) -> structlog.dev.ConsoleRenderer:
    # the plain traceback: the pretty one prints local variables, which may hold a row of data
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), pad_event_to=0, pad_level=False, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
    )


class _Forward(logging.Handler):
    """Hands what libraries log to our log, so that it is scrubbed and formed like the rest."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        self._log.log(record.levelno, record.getMessage(), logger=record.name)


def capture_libraries(log: FilteringBoundLogger, level: int = logging.WARNING) -> None:
    """Send the warnings of libraries through ``log``; for the start of a program."""
    root = logging.getLogger()
    root.handlers = [_Forward(log)]
    root.setLevel(level)
