"""What a headline rests on, in words: a line per parameter, the band, then the foot."""

from textwrap import wrap

from kvmlab.show.sensitivity import PERCENT, Bar, Rests
from kvmlab.show.titles import plural

COLUMNS = 80


def sensitivity_text(shown: Rests) -> str:
    """Return the picture in words; its last paragraph is the foot."""
    head = f"What “{shown.headline.name}” rests on ({shown.headline.sentence})"
    columns = _line("parameter", "how known", f"{PERCENT} % lower", f"{PERCENT} % higher")
    rest = [f"  {plural(shown.others, 'parameter')} more"] if shown.others else []
    bars = [_bar(shown, bar) for bar in shown.bars]
    return "\n".join([*wrap(head, COLUMNS), columns, *bars, *rest, "", *wrap(shown.foot, COLUMNS)])


def _bar(shown: Rests, bar: Bar) -> str:
    return _line(bar.parameter, bar.status.value, shown.change(bar.lower), shown.change(bar.higher))


def _line(name: str, known: str, lower: str, higher: str) -> str:
    return f"  {name:<16}{known:<12}{lower:>14}{higher:>14}"
