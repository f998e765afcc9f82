"""Figures laid out as bars, for pictures drawn on the server. Each bar knows its number and the list behind it."""

from dataclasses import dataclass, field

HEIGHT = 40  # of a column at its highest, in units of the picture
STEP, WIDTH = 10, 7  # from one column to the next, and how wide each is
LEAST = 1.5  # what is not nothing can be seen


@dataclass
class Bar:
    """A piece of a bar or a column; `x`, `y`, `width` and `height` are where it stands in its picture."""

    count: int
    words: str
    url: str
    kind: str = ""
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


@dataclass
class Row:
    """One name with its bars beside it."""

    name: str
    bars: list[Bar]
    url: str = ""  # of all its bars together

    @property
    def total(self):
        return sum(bar.count for bar in self.bars)


@dataclass
class Columns:
    """Weeks side by side, each a column of one or more bars."""

    weeks: list[list[Bar]] = field(default_factory=list)
    url: str = ""  # of all together
    label: str = ""

    @property
    def width(self):
        return max(len(self.weeks), 1) * STEP

    @property
    def height(self):
        return HEIGHT

    @property
    def bars(self):
        return [bar for week in self.weeks for bar in week if bar.count]

    @property
    def total(self):
        return sum(bar.count for bar in self.bars)

    @property
    def highest(self):
        return max((sum(bar.count for bar in week) for week in self.weeks), default=0)

    def laid_out(self, highest):
        """Each bar at its place, drawn so that `highest` takes the whole height."""
        for number, week in enumerate(self.weeks):
            foot = HEIGHT
            for bar in week:
                bar.height = max(round(HEIGHT * bar.count / highest, 2), LEAST) if bar.count else 0
                foot = max(foot - bar.height, 0)
                bar.x, bar.y, bar.width = number * STEP + (STEP - WIDTH) / 2, round(foot, 2), WIDTH
        return self


def side_by_side(rows):
    """Rows whose bars lie one behind the other, in per cent of the longest row."""
    longest = max((row.total for row in rows), default=0)
    for row in rows:
        x = 0.0
        for bar in row.bars:
            bar.x, bar.width = round(x, 2), round(100 * bar.count / longest, 2) if longest else 0
            x += bar.width
    return rows
