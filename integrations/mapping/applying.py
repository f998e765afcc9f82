"""What an ERP's message makes of a contact: nothing is saved here, so that a dry run and the real thing are one."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from contacts import localised
from contacts.details.field_words import in_words
from contacts.details.fields import fields_of, region_of, values_to_save
from contacts.forms.field import FieldForm
from contacts.models import ActorKind, Contact, HistoryEvent
from integrations import merge_fields
from integrations.mapping import owner_and_quiet
from integrations.mapping.lines import MISSING, Conflict, Empty, Line, is_empty, read_all
from integrations.mapping.targets import COMPANY, key_of, typed
from integrations.mapping.transforms import Around, Unfit
from integrations.models.field_mapping import FieldMapping

BY_NAME = ("first_name", "last_name", "email", "phone", "company")
WROTE = ("contact_added", "contact_changed")
FAR_BACK = 500  # lines of history that are looked through for who wrote a field


@dataclass(frozen=True)
class Tags:
    add: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)


class Mapped(NamedTuple):
    """`values` for the contact's verbs, sentences about what cannot be taken, and the tags that differ."""

    values: dict[str, Any]
    troubles: list[str]
    tags: Tags


@dataclass
class Result:
    """What one line came to. `state`: absent, empty, same, kept, taken, trouble."""

    line: Line
    state: str
    came: Any = None
    into: Any = None  # the field of the contact page
    value: Any = None
    sentence: str = ""
    add: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)

    @property
    def old_words(self) -> str:
        return self._words(self.into.value) if self.into else ""

    @property
    def words(self) -> str:
        """The value as people read it."""
        return self._words(self.value) if self.into else ""

    def _words(self, value):
        return in_words(value, self.into.control, self.into.region, self.into.currency)


def values_for(body: Mapping[str, Any], contact: Contact, mapping: FieldMapping | None) -> Mapped:
    """What to write of an ERP's message. Without a mapping the fields of a customer go by their names."""
    results = results_of(body, contact, read_all(mapping.lines)) if mapping else by_name(body, contact)
    return gathered(contact, results)


def gathered(contact: Contact, results: Iterable[Result]) -> Mapped:
    values: dict[str, Any] = {}
    troubles, add, remove = [], [], []
    for one in results:
        if one.state == "trouble":
            troubles.append(one.sentence)
        elif one.state == "taken" and one.line.is_tag:
            add += one.add
            remove += one.remove
        elif one.state == "taken":
            _lay(values, contact, one)
    remove = [tag for tag in dict.fromkeys(remove) if tag not in add]
    return Mapped(values, list(dict.fromkeys(troubles)), Tags(list(dict.fromkeys(add)), remove))


def results_of(body: Mapping[str, Any], contact: Contact, lines: Sequence[Line]) -> list[Result]:
    """What each line that goes in comes to, in order."""
    # What is kept must not depend on how whoever looks on writes numbers and dates.
    with localised.using(localised.Way()):
        reader = _Reader(body, contact)
        return [reader.result(line) for line in lines if line.goes_in]


def by_name(body: Mapping[str, Any], contact: Contact) -> list[Result]:
    """The built-in way: a field of the ERP goes into the one that is called so, and what is called nothing is said."""
    if "subject" in body:
        return []
    told = {name: body[name] for name in BY_NAME if body.get(name) is not None} | (body.get("fields") or {})
    with localised.using(localised.Way()):
        reader = _Reader(body, contact)
        return [reader.named(name, value) for name, value in told.items()]


def outward(contact: Contact, mapping: FieldMapping | None) -> dict[str, Any]:
    """{name in the ERP: value} of the fields that go out. One that cannot be put so is left out."""
    return outward_of(contact, read_all(mapping.lines)) if mapping else {}


def outward_of(contact: Contact, lines: Iterable[Line]) -> dict[str, Any]:
    out = [line for line in lines if line.goes_out]
    if not out:
        return {}
    told = {}
    with localised.using(localised.Way()):
        reader = _Reader({}, contact)
        for line in out:
            found = reader.fields.get(line.contact)
            if found is None:
                continue
            if found.control in owner_and_quiet.CONTROLS:
                value = owner_and_quiet.told(found, bool(line.steps))
            else:
                value = contact.custom_values.get(found.key, "") if found.is_custom else contact.value(found.key)
            if is_empty(value) and line.empty == Empty.DEFAULT and not line.goes_in:
                value = line.default
            with suppress(Unfit, ValueError):
                told[line.erp] = line.back(value, reader.around)
    return told


class _Reader:
    """One message for one contact."""

    def __init__(self, body, contact):
        self.body, self.contact = body, contact
        self.around = Around(region_of(contact), self._scope)
        customs = {f"custom-{one.pk}": one for one in contact.location.custom_fields.all()}
        self.rows = [(one, customs.get(one.slug)) for one in fields_of(contact)]

    @cached_property
    def fields(self):
        """{as a mapping names it: field}"""
        named = {key_of(custom) if custom else one.key: one for one, custom in self.rows}
        return named | dict(owner_and_quiet.fields_of(self.contact))

    @cached_property
    def names(self):
        """{what a field may be called: field}; custom ones by their key, with and without "contact.", or their name."""
        known: dict[str, Any] = {}
        for one, custom in self.rows:
            of_custom = custom and [custom.key, custom.key.removeprefix("contact."), custom.remote_id, custom.name]
            for name in of_custom or [one.key]:
                known.setdefault(name.casefold(), one)
        known["company"] = known[COMPANY]
        return known

    def result(self, line):
        came = line.read_from(self.body)
        is_new = self.contact.pk is None
        if came is MISSING and not (is_new and line.empty == Empty.DEFAULT and "subject" not in self.body):
            return Result(line, "absent")
        came = None if came is MISSING else came
        try:
            value = line.ahead(came, self.around)
        except Unfit as why:
            return Result(line, "trouble", came, sentence=f"{line.erp or line.contact}: {why}")
        if is_empty(value):
            if line.empty == Empty.LEAVE:
                return Result(line, "empty", came)
            value = line.default if line.empty == Empty.DEFAULT else ""
        if line.is_tag:
            return self._tags(line, came, value)
        found = self.fields.get(line.contact)
        if found is None:
            words = _("%(field)s: this location has no such field.") % {"field": line.erp or line.contact}
            return Result(line, "trouble", came, sentence=words)
        if line.contact == COMPANY and not is_new:
            return Result(line, "same" if is_empty(value) or found.words == str(value) else "kept", came, found, value)
        return self._kept(line, self._taken(line, came, found, value, line.erp or found.label))

    def named(self, name, value):
        """What is called so takes the value as it is; nothing empties it too."""
        line = Line(name, "")
        found = self.names.get(name.casefold())
        if found is None:
            return Result(line, "trouble", value, sentence=_("%(field)s: no field is called that.") % {"field": name})
        return self._taken(line, value, found, value, name)

    def _taken(self, line, came, found, value, name):
        if found.control in owner_and_quiet.CONTROLS:
            return self._read(line, came, found, value, name)
        if isinstance(value, dict) or (isinstance(value, list) and found.control != "many"):
            value = _flat(value)
        if found.key == COMPANY and self.contact.pk is None:
            return Result(line, "taken", came, found, str(value)[:300])
        if found.is_fixed or found.control in ("channels", "texts"):
            if found.words == value:
                return Result(line, "same", came, found, value)
            return Result(
                line, "trouble", came, found, sentence=f"{name}: " + (found.reason or _("Can be changed only in GHL."))
            )
        form = FieldForm(found, typed(value))
        if not form.is_valid():
            return Result(line, "trouble", came, found, value, f"{name}: {form.errors['value'][0]}")
        clean = form.cleaned_data["value"]
        is_same = clean == found.value or (is_empty(clean) and found.is_empty)
        return Result(line, "same" if is_same else "taken", came, found, clean)

    def _read(self, line, came, found, value, name):
        try:
            clean = owner_and_quiet.read(self.contact, found.control, value)
        except Unfit as why:
            return Result(line, "trouble", came, found, sentence=f"{name}: {why}")
        is_same = clean == found.value or not (clean or found.value)
        return Result(line, "same" if is_same else "taken", came, found, clean)

    def _kept(self, line, result):
        if result.state != "taken" or result.into.is_empty:
            return result
        if line.conflict == Conflict.IF_EMPTY:
            result.state, result.sentence = "kept", _("Something stands here already.")
        elif line.conflict == Conflict.PERSON and (who := self._writer_of(result.into)):
            result.state = "kept"
            result.sentence = _("%(who)s wrote what stands here.") % {"who": who}
        return result

    def _writer_of(self, found):
        """Who wrote the field last, if that was a person, here or in GHL; else ""."""
        key = "custom_values" if found.is_custom else found.key
        for changes, kind, name in self._written:
            change = changes.get(key)
            if change is None or (found.is_custom and found.key not in _parts(change)):
                continue
            return (name or _("Somebody")) if kind in (ActorKind.PERSON, ActorKind.GHL) else ""
        return ""

    @cached_property
    def _written(self):
        lines = HistoryEvent.objects.filter(contact=self.contact.pk, kind__in=WROTE).order_by("-happened_at", "-pk")
        return list(lines.values_list("changes", "actor_kind", "actor_name")[:FAR_BACK])

    def _tags(self, line, came, value):
        listed = value if isinstance(value, list) else str(value).split(",")
        said = list(dict.fromkeys(clean for one in listed if (clean := _tag(one))))
        add, remove = [], []
        if line.contact == "tag:remove":
            remove = [tag for tag in said if tag in self.contact.tags]
        else:
            add = [tag for tag in said if tag not in self.contact.tags]
        if line.contact == "tag:one":
            others = {_tag(one) for one in line.table_values}
            remove = sorted((others - set(said)) & set(self.contact.tags))
        state = "taken" if add or remove else "same"
        return Result(line, state, came, value=value, add=add, remove=remove)

    def _scope(self):
        """What a text may speak of: `event` is all that came, the customer's or the event's own fields in front."""
        told = {name: value for name, value in self.body.items() if value is not None}
        own = self.body.get("payload") or self.body.get("fields") or {}
        return {"event": {**own, **told}, "contact": merge_fields.about(self.contact)}


def _lay(values, contact, result):
    found = result.into
    if found.key == COMPANY:
        values[COMPANY] = result.value
        return
    if found.control in owner_and_quiet.CONTROLS:
        owner_and_quiet.save(values, found, result.value)
        return
    taken = values_to_save(contact, found, result.value)
    if not found.is_custom:
        values |= taken
        return
    kept = values.setdefault("custom_values", dict(contact.custom_values))  # each brings all: only its own counts
    kept.pop(found.key, None)
    kept |= {key: one for key, one in taken["custom_values"].items() if key == found.key}


def _parts(change):
    """The custom fields of a line of history: {remote id: value} before and after."""
    return {part for side in change if isinstance(side, dict) for part in side}


def _flat(value):
    """A list where one value belongs, as people would write it."""
    return ", ".join(str(one) for one in (value.values() if isinstance(value, dict) else value))


def _tag(word):
    return " ".join(str(word).split()).lower()[:200]
