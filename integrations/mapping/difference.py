"""What two versions of a mapping say differently, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from integrations.mapping.lines import WORDS, Conflict, Direction, Empty, Line
from integrations.mapping.targets import Target


@dataclass(frozen=True)
class Differing:
    """A line of which only one version knows, or both in different words."""

    name: str
    old: str
    new: str


def differences(old: Sequence[Line], new: Sequence[Line], targets: Mapping[str, Target]) -> list[Differing]:
    before, after = _by_name(old), _by_name(new)
    names = dict.fromkeys([*before, *after])
    found = [
        Differing(
            f"{erp or '—'} → {label_of(contact, targets)}",
            in_words(before[erp, contact, n]) if (erp, contact, n) in before else "",
            in_words(after[erp, contact, n]) if (erp, contact, n) in after else "",
        )
        for erp, contact, n in names
        if before.get((erp, contact, n)) != after.get((erp, contact, n))
    ]
    if not found and [line.told() for line in old] != [line.told() for line in new]:
        return [Differing(_("The order of the lines"), "", "")]
    return found


def label_of(contact: str, targets: Mapping[str, Target]) -> str:
    return targets[contact].label if contact in targets else contact


def in_words(line: Line) -> str:
    """The line's rules as one sentence."""
    return "; ".join(
        str(words)
        for words in (line.say() or _("as it is"), rules_in_words(line))
        if words
    )  # fmt: skip


def rules_in_words(line: Line) -> str:
    """Only what does not go without saying."""
    said = []
    if line.direction != Direction.IN:
        said.append(str(WORDS[Direction(line.direction)]) if line.direction in list(Direction) else line.direction)
    if line.empty == Empty.CLEAR:
        said.append(_("empties it too"))
    elif line.empty == Empty.DEFAULT:
        said.append(_("else “%(value)s”") % {"value": line.default})
    if line.conflict in (Conflict.PERSON, Conflict.IF_EMPTY):
        said.append(str(WORDS[Conflict(line.conflict)]))
    return ", ".join(said)


def _by_name(lines):
    """{(erp, contact, which of those named so): line}"""
    found: dict[tuple[str, str, int], Line] = {}
    for line in lines:
        n = sum((line.erp, line.contact) == key[:2] for key in found)
        found[line.erp, line.contact, n] = Line.read(line.told())
    return found
