"""From an event's text to its fields and back, by the tables of `kvm_formats` and `host_formats`.

A text says by its own wording which dialect it is, so reading needs none; writing names one.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from kvmlab.errors import unknown
from kvmlab.traces.dialect import Dialect, Layouts
from kvmlab.traces.errors import TraceError
from kvmlab.traces.host_formats import HOST
from kvmlab.traces.kvm_formats import KVM
from kvmlab.traces.template import Template, Value

FORMATS: Mapping[str, Layouts] = {**KVM, **HOST}
"""Every event whose text we can take apart; all others are kept as text."""

_NO_FIELDS: Mapping[str, Value] = MappingProxyType({})


@lru_cache(maxsize=len(FORMATS) * len(Dialect))
def templates(name: str, dialect: Dialect | None = None) -> tuple[Template, ...]:
    """Return the layouts of event `name` in one dialect, or all of them, the newest kernel's first."""
    layouts = FORMATS[name]
    wanted = [dialect] if dialect else [known for known in reversed(Dialect) if known in layouts]
    distinct = dict.fromkeys(template for known in wanted for template in layouts.get(known, ()))
    return tuple(Template(template) for template in distinct)


@lru_cache(maxsize=4096)  # Many lines repeat word for word (vector=236); bounded, since many do not.
def parse(name: str, text: str) -> Mapping[str, Value]:
    """Return the fields that an event's text shows: read-only, and empty if we do not know its layout."""
    for template in templates(name) if name in FORMATS else ():
        fields = template.parse(text)
        if fields is not None:
            return MappingProxyType(fields)
    return _NO_FIELDS


def render(name: str, fields: Mapping[str, Value], dialect: Dialect) -> str:
    """Return the text that event `name` prints for `fields` in one dialect.

    Fields that this dialect does not print are left out, as the kernel does. Raises BadInput for an unknown
    event or field, TraceError if the dialect has no such event, a field is missing, or the text could not
    be read back as what was written (a number where words belong, a comm that looks like the next field).
    """
    _check_names(name, fields)
    for template in templates(name, dialect):
        if template.required <= fields.keys():
            return _render_checked(name, template, fields)
    raise TraceError(_why_not(name, fields, dialect))


def _check_names(name: str, fields: Mapping[str, Value]) -> None:
    if name not in FORMATS:
        raise unknown("event", name, FORMATS)
    known = frozenset().union(*(template.names for template in templates(name)))
    for field in fields:
        if field not in known:
            raise unknown(f"field of {name}", field, known)


def _render_checked(name: str, template: Template, fields: Mapping[str, Value]) -> str:
    values = template.complete(fields)
    try:
        text = template.render(values)
    except (TypeError, ValueError) as wrong:
        raise TraceError(f"{name} cannot print {values}: {wrong}") from wrong
    read = parse(name, text)
    for field, value in values.items():
        if read.get(field) != value:
            raise TraceError(f"{name} would print {field}={value!r} so that it reads {read.get(field)!r}")
    return text


def _why_not(name: str, fields: Mapping[str, Value], dialect: Dialect) -> str:
    layouts = templates(name, dialect)
    if not layouts:
        others = ", ".join(known.value for known in FORMATS[name])
        return f"{name} has no text of its own in {dialect.value}; it has one in {others}"
    missing = ", ".join(sorted(layouts[-1].required - fields.keys()))
    return f"{name} in {dialect.value} also needs {missing}"
