"""Prose inside a widget: as wide as the pictures, with the line spacing of a page."""


def paragraph(markup: str, role: str = "") -> str:
    """Return ``markup``, already escaped, as a paragraph; with a ``role`` a screen reader is told of it."""
    told = f' role="{role}"' if role else ""
    return f'<p{told} style="max-width:960px;line-height:1.5;margin:4px 0">{markup}</p>'
