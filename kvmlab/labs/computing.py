"""The sign that a bench computes: what stands there is grey, and the sentence says so."""

from collections.abc import Iterator
from contextlib import contextmanager

import ipywidgets as widgets

from kvmlab.labs.prose import paragraph

OLD = "kvmlab-old"
"""The CSS class of what shows an earlier answer."""
COMPUTING = f"<style>.{OLD}{{opacity:.35}}</style>" + paragraph("computing…", role="status")


@contextmanager
def computing(said: widgets.HTML, *old: widgets.DOMWidget) -> Iterator[None]:
    """Let ``said`` say that something is computed, and grey what is ``old``, until that is done.

    Whoever computes says the answer; if there is none, because of an error, what was said before comes back.
    """
    before = said.value
    for shown in old:
        shown.add_class(OLD)
    said.value = COMPUTING
    try:
        yield
    finally:
        for shown in old:
            shown.remove_class(OLD)
        if said.value == COMPUTING:
            said.value = before
