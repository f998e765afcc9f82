"""What can be done with a value between the ERP and a contact, one step after another.

Each step is described from the ERP towards the contact (`ahead`); `back` is the way of a value that goes out.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contacts.details import phones
from integrations import merge_fields

LONGEST_TABLE = 1000
LONGEST = 2000  # letters of one word in a table


class Unfit(ValueError):
    """The value cannot go this way; the message says why."""


def _no_scope() -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Around:
    """What a step may know besides the value: the country of phone numbers, and what a text may speak of."""

    region: str = phones.DEFAULT_REGION
    scope: Callable[[], Mapping[str, Any]] = field(default=_no_scope)


@dataclass(frozen=True)
class Setting:
    """One thing an admin says about a step. `choices` are (value, label); rows > 1 is a text of several lines."""

    name: str
    label: Any
    choices: tuple = ()
    rows: int = 1
    hint: Any = ""
    suggestions: tuple = ()


class Step:
    name: ClassVar[str]
    label: ClassVar[Any]
    settings: ClassVar[tuple[Setting, ...]] = ()
    has_way_back: ClassVar[bool] = True
    needs_value: ClassVar[bool] = True  # else it makes one of its own

    def __init__(self, told: Mapping[str, Any]) -> None:
        given = {one.name: told.get(one.name) for one in self.settings}
        self.told: dict[str, Any] = {
            name: value if name == "table" else str(value)
            for name, value in given.items()
            if value not in (None, "", {})
        }

    def get(self, name: str) -> Any:
        return self.told.get(name, "")

    def problems(self) -> list[str]:
        return []

    def problems_back(self) -> list[str]:
        """Why its values cannot go out again."""
        return [] if self.has_way_back else [_("“%(step)s” leads only towards the contact.") % {"step": self.label}]

    def results(self) -> list[str]:
        """The values that can come of it, where that is known beforehand."""
        return []

    def ahead(self, value: Any, around: Around) -> Any:
        return [self.change(one, around) for one in value] if isinstance(value, list) else self.change(value, around)

    def back(self, value: Any, around: Around) -> Any:
        return self.ahead(value, around)

    def change(self, value: Any, around: Around) -> Any:
        raise NotImplementedError

    def say(self) -> str:
        return str(self.label)


class Trim(Step):
    name, label = "trim", gettext_lazy("without spaces around it")

    def change(self, value, around):
        return " ".join(value.split()) if isinstance(value, str) else value


class Lower(Step):
    name, label = "lower", gettext_lazy("in lower case")

    def change(self, value, around):
        return value.lower() if isinstance(value, str) else value


class Upper(Step):
    name, label = "upper", gettext_lazy("in upper case")

    def change(self, value, around):
        return value.upper() if isinstance(value, str) else value


class Title(Step):
    name, label = "title", gettext_lazy("Each Word With A Capital")

    def change(self, value, around):
        words = re.compile(r"[^\W\d_]+(?:['’][^\W\d_](?![^\W\d_]))?")  # the s of “Ana’s” stays small
        return words.sub(lambda word: word[0].capitalize(), value) if isinstance(value, str) else value


class Phone(Step):
    name, label = "phone", gettext_lazy("as a phone number, +13125550148")

    def change(self, value, around):
        number = phones.e164(str(value), around.region)
        if not number:
            raise Unfit(_("“%(value)s” cannot be a phone number.") % {"value": _short(value)})
        return number


class Date(Step):
    name, label = "date", gettext_lazy("as a date")
    settings = (
        Setting(
            "form", gettext_lazy("How the ERP writes it"), hint=gettext_lazy("YYYY or YY, MM or M, DD or D"),
            suggestions=("DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "YYYYMMDD", "YYYY-MM-DD"),
        ),
    )  # fmt: skip
    _PARTS: ClassVar[dict[str, tuple[str, str]]] = {
        "YYYY": ("year", r"\d{4}"), "YY": ("short", r"\d{2}"), "MM": ("month", r"\d{1,2}"),
        "M": ("month", r"\d{1,2}"), "DD": ("day", r"\d{1,2}"), "D": ("day", r"\d{1,2}"),
    }  # fmt: skip
    _SPLIT = re.compile("(YYYY|YY|MM|M|DD|D)")

    def _parts(self):
        return [part for part in self._SPLIT.split(str(self.get("form"))) if part]

    def problems(self):
        named = [self._PARTS[part][0] for part in self._parts() if part in self._PARTS]
        if sorted("year" if one == "short" else one for one in named) != ["day", "month", "year"]:
            return [_("Say how the date is written with a year, a month and a day, like DD.MM.YYYY.")]
        return []

    def change(self, value, around):
        text = str(value).strip()
        parts = self._parts()
        packed = not any(part not in self._PARTS for part in parts)  # 20261130: each part has its own width
        pattern = "".join(self._pattern(part, packed) for part in parts)
        found = re.match(pattern + r"(?![\d])", text)  # a time may follow
        try:
            if not found:
                raise ValueError
            told = found.groupdict()
            year = int(told["year"]) if "year" in told else 2000 + int(told["short"])
            return dt.date(year, int(told["month"]), int(told["day"])).isoformat()
        except ValueError:
            raise Unfit(
                _("“%(value)s” is no date written as %(form)s.") % {"value": _short(value), "form": self.get("form")}
            ) from None

    def _pattern(self, part, packed):
        if part not in self._PARTS:
            return re.escape(part)
        name, digits = self._PARTS[part]
        return f"(?P<{name}>" + (rf"\d{{{len(part)}}}" if packed else digits) + ")"

    def back(self, value, around):
        if not value:
            return value
        date = value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value)[:10])
        words = {
            "YYYY": f"{date.year:04}", "YY": f"{date.year % 100:02}", "MM": f"{date.month:02}", "M": str(date.month),
            "DD": f"{date.day:02}", "D": str(date.day),
        }  # fmt: skip
        return "".join(words.get(part, part) for part in self._parts())

    def say(self):
        return _("as a date, written %(form)s") % {"form": self.get("form")}


class Number(Step):
    name, label = "number", gettext_lazy("as a number")
    settings = (
        Setting(
            "decimal", gettext_lazy("The ERP writes"),
            choices=((".", gettext_lazy("1,250.50 with a point")), (",", gettext_lazy("1.250,50 with a comma"))),
        ),
    )  # fmt: skip

    def problems(self):
        return [] if self.get("decimal") in ("", ".", ",") else [_("The decimal sign is a point or a comma.")]

    def change(self, value, around):
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        sign, between = (",", ".") if self.get("decimal") == "," else (".", ",")
        text = re.sub(r"[\s'’\u00a0\u202f$€£]", "", str(value)).replace("\N{MINUS SIGN}", "-")
        # Thousands are told from decimals by where they stand: 1.250,50 is no number with a decimal point.
        grouped = rf"\d{{1,3}}(?:{re.escape(between)}\d{{3}})+|\d+"
        if len(text) > 30 or not re.fullmatch(rf"[-+]?(?:{grouped})(?:{re.escape(sign)}\d*)?", text):
            raise Unfit(_("“%(value)s” is not a number.") % {"value": _short(value)})
        text = text.replace(between, "").replace(sign, ".")
        number = Decimal(text)
        return int(number) if number == number.to_integral_value() else float(number)

    def back(self, value, around):
        return str(value).replace(".", ",") if self.get("decimal") == "," and value not in (None, "") else value

    def say(self):
        return _("as a number with a comma") if self.get("decimal") == "," else _("as a number")


class Lookup(Step):
    name, label = "lookup", gettext_lazy("looked up in a table")
    OTHERWISE = (
        ("refuse", gettext_lazy("is not taken, and said so")),
        ("keep", gettext_lazy("is taken as it is")),
        ("empty", gettext_lazy("counts as empty")),
        ("use", gettext_lazy("becomes …")),
    )
    settings = (
        Setting("table", gettext_lazy("Table"), rows=4, hint=gettext_lazy("One a line: in the ERP = here")),
        Setting("otherwise", gettext_lazy("What is not in it"), choices=OTHERWISE),
        Setting("use", gettext_lazy("becomes"), hint=gettext_lazy("only for “becomes …”")),
    )

    def __init__(self, told):
        super().__init__(told)
        table = self.told.get("table")
        if isinstance(table, str):  # as it is typed
            rows = [line.split("=", 1) for line in table.splitlines() if line.strip()]
            self._odd = [row[0].strip() for row in rows if len(row) == 1]
            self.told["table"] = {row[0].strip(): row[1].strip() for row in rows if len(row) == 2}
        else:
            self._odd = []

    @property
    def table(self) -> dict[str, str]:
        table = self.get("table")
        rows = table.items() if isinstance(table, dict) else ()
        return {str(key): str(value) for key, value in sorted(rows, key=lambda row: _folded(row[0]))}

    @property
    def otherwise(self) -> str:
        return self.get("otherwise") or "refuse"

    def problems(self):
        if self._odd:
            words = _("“%(row)s” has no “=” in it: write what the ERP says = what stands here.")
            return [words % {"row": self._odd[0]}]
        if not self.table:
            return [_("The table is empty: write lines like A = Gold.")]
        if len(self.table) > LONGEST_TABLE or any(len(one) > LONGEST for row in self.table.items() for one in row):
            return [_("The table is too long: at most %(most)d lines.") % {"most": LONGEST_TABLE}]
        keys = [_folded(key) for key in self.table]
        if double := next((key for key in self.table if keys.count(_folded(key)) > 1), None):
            return [_("“%(key)s” stands in the table twice.") % {"key": double}]
        if self.otherwise not in dict(self.OTHERWISE):
            return [_("What is not in the table can be: %(ways)s.") % {"ways": ", ".join(dict(self.OTHERWISE))}]
        if self.otherwise == "use" and not self.get("use"):
            return [_("Say what a value becomes that is not in the table.")]
        return []

    def problems_back(self):
        values = [_folded(one) for one in self.table.values()]
        double = next((one for one in self.table.values() if values.count(_folded(one)) > 1), None)
        if double is None:
            return []
        words = _("Several lines of the table lead to “%(value)s”: it is not clear what goes out for it.")
        return [words % {"value": double}]

    def results(self):
        return [*dict.fromkeys(self.table.values()), *([str(self.get("use"))] if self.otherwise == "use" else [])]

    def change(self, value, around):
        found = {_folded(key): one for key, one in self.table.items()}.get(_folded(value))
        return self._otherwise(value) if found is None else found

    def back(self, value, around):
        listed = value if isinstance(value, list) else [value]
        found = [next((k for k, one in self.table.items() if _folded(one) == _folded(v)), v) for v in listed]
        return found if isinstance(value, list) else found[0]

    def _otherwise(self, value):
        if self.otherwise == "refuse":
            raise Unfit(_("“%(value)s” is not in the table.") % {"value": _short(value)})
        return {"keep": value, "empty": "", "use": self.get("use")}[self.otherwise]

    def say(self):
        rows = [f"{key} = {value}" for key, value in list(self.table.items())[:2]]
        more = len(self.table) - len(rows)
        if more > 0:
            rows.append(ngettext("%(n)d more", "%(n)d more", more) % {"n": more})
        return ", ".join(rows)


class Template(Step):
    name, label = "template", gettext_lazy("put into a text")
    settings = (
        Setting(
            "text", gettext_lazy("Text"), rows=2,
            hint=gettext_lazy("{{ value }} is the value; {{ event.city }} came along; {{ contact.city }} stands here"),
        ),
    )  # fmt: skip
    has_way_back, needs_value = False, False

    def problems(self):
        try:
            merge_fields.check(str(self.get("text")))
        except merge_fields.BadText as bad:
            return [str(bad)]
        return [] if self.get("text") else [_("Write the text.")]

    def ahead(self, value, around):
        try:
            return merge_fields.fill_in(str(self.get("text")), {**around.scope(), "value": value}).strip()
        except merge_fields.BadText as bad:
            raise Unfit(str(bad)) from None

    def say(self):
        return f"“{_short(self.get('text'))}”"


class Constant(Step):
    name, label = "constant", gettext_lazy("always the same")
    settings = (Setting("text", gettext_lazy("Value")),)
    has_way_back, needs_value = False, False

    def problems(self):
        return [] if self.get("text") else [_("Write the value.")]

    def results(self):
        return [str(self.get("text"))]

    def ahead(self, value, around):
        return str(self.get("text"))

    def say(self):
        return _("always “%(value)s”") % {"value": _short(self.get("text"))}


STEPS: dict[str, type[Step]] = {
    step.name: step
    for step in (Trim, Lower, Upper, Title, Phone, Date, Number, Lookup, Template, Constant)
}  # fmt: skip


def _folded(value: Any) -> str:
    return " ".join(str(value).split()).casefold()


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
