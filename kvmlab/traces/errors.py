"""The one error of this room: something handed in is not a trace, or cannot be written as one."""

from kvmlab.errors import BadInput


class TraceError(BadInput):
    """A trace cannot be read, or an event cannot be written; the message says what to do."""
