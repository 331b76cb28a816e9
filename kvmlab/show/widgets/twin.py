"""A box of controls whose text twin is shown whole."""

from typing import Any

import ipywidgets as widgets


class TwinBox(widgets.VBox):
    """A column of controls; ``repr`` is its text twin.

    ipywidgets cuts a repr after 110 characters; here nbval, GitHub and a screen reader get all of it.
    """

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any] | None:
        bundle: dict[str, Any] | None = super()._repr_mimebundle_(**kwargs)
        return bundle and bundle | {"text/plain": repr(self)}
