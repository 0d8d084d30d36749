"""Curves over two logarithms, as SVG."""

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 380, 70, 190, 20, 50
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by the colour-blind too (Okabe and Ito 2008)."""

Points = Sequence[tuple[float, float]]


class Axis:
    """Where values lie between two places, by their logarithm; decades are marked."""

    def __init__(self, values: Sequence[float], first: float, last: float) -> None:
        self.low, self.high = math.log10(min(values)), math.log10(max(values))
        margin = 0.05 * (self.high - self.low) or 0.5
        self.low, self.high = self.low - margin, self.high + margin
        self.first, self.last = first, last

    def at(self, value: float) -> float:
        """The place of a value."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self.first + share * (self.last - self.first), 1)

    def marks(self) -> list[float]:
        """Ones, twos and fives of each decade within reach."""
        decades = range(math.floor(self.low), math.ceil(self.high) + 1)
        values = [step * 10.0**decade for decade in decades for step in (1, 2, 5)]
        return [value for value in values if self.low <= math.log10(value) <= self.high]


def curves(lines: Mapping[str, Points], across: str, up: str) -> str:
    """Draw lines through points above 0, each with its name at its end."""
    points = [point for line in lines.values() for point in line]
    x = Axis([one for one, _ in points], LEFT, WIDTH - RIGHT)
    y = Axis([other for _, other in points], HEIGHT - BOTTOM, TOP)
    drawn = [_grid(x, y, across, up)]
    for colour, (name, line) in zip(COLOURS, lines.items(), strict=False):
        drawn.append(_line(x, y, name, line, colour))
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12">\n<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _grid(x: Axis, y: Axis, across: str, up: str) -> str:
    parts = []
    for value in x.marks():
        place = x.at(value)
        parts.append(f'<line x1="{place}" x2="{place}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{place}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:,.0f}</text>')
    for value in y.marks():
        place = y.at(value)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{place}" y2="{place}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{place + 4}" text-anchor="end">{value:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 12}" text-anchor="middle">{escape(across)}</text>')
    centre = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'transform="rotate(-90 16 {centre})"'
    parts.append(f'<text x="16" y="{centre}" text-anchor="middle" {turned}>{escape(up)}</text>')
    return "\n".join(parts)


def _line(x: Axis, y: Axis, name: str, line: Points, colour: str) -> str:
    places = [(x.at(one), y.at(other)) for one, other in sorted(line)]
    path = " ".join(f"{one},{other}" for one, other in places)
    dots = "".join(f'<circle cx="{one}" cy="{other}" r="3" fill="{colour}"/>' for one, other in places)
    one, other = places[-1]
    label = f'<text x="{one + 8}" y="{other + 4}" fill="{colour}">{escape(name)}</text>'
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}{label}'
