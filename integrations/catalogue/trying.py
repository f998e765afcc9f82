"""A form for any operation, made from what the catalogue knows of it."""

import json
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.utils.translation import gettext as _

from integrations.catalogue import samples
from integrations.catalogue.titles import label_of
from integrations.catalogue.values import kind_of, types_of

NESTED = {"object", "array"}


class TryForm(forms.Form):
    """A field for each parameter and each part of the body, by the names "params.x" and "body.x". Nothing is checked
    here: values.build does that, and `take` puts its sentences beside the fields."""

    def __init__(self, operation, data=None):
        super().__init__(data, label_suffix="", auto_id="try_%s")
        self.operation = operation
        suggested = samples.values_for(operation)
        ours = set(operation.location)
        for each in operation.parameters:
            if (each.where, each.name) not in ours:
                start = "" if each.where == "path" else suggested["params"].get(each.name, "")
                self._add(f"params.{each.name}", each.schema, each.required, start)
        body = operation.body or {}
        if "array" in types_of(body):
            self._add("body", body, operation.body_required, suggested.get("body"))
        for name, schema in body.get("properties", {}).items():
            if ("body", name) not in ours:
                self._add(f"body.{name}", schema, name in body.get("required", []), suggested["body"].get(name, ""))

    def values(self):
        """What was filled in, for values.build: an empty box says nothing."""
        values: dict[str, Any] = {"params": {}}
        for name in self.fields:
            text = self.data.get(name, "").strip()
            part, _dot, key = name.partition(".")
            if text and key:
                values.setdefault(part, {})[key] = text
            elif text:
                values[part] = text
        return values

    def full_clean(self):
        """Nothing: see above."""
        self._errors, self.cleaned_data = ErrorDict(), {}

    def take(self, problems):
        """Put each sentence at its field, or above the form."""
        for where, sentence in problems:
            named = ".".join(where.split(".")[:2])
            self.add_error(named if named in self.fields else None, sentence)

    def _add(self, name, schema, required, suggested):
        label = label_of(name.partition(".")[2]) or _("Body")
        options = {"label": label, "required": required, "initial": _written(suggested)}
        choices = schema.get("enum") or ([True, False] if types_of(schema) == ["boolean"] else None)
        if choices:
            words = {True: _("Yes"), False: _("No")}
            listed = [(_written(each), words.get(each, each)) for each in choices if each is not None]
            field: forms.Field = forms.ChoiceField(choices=[("", "—"), *listed], **options)
        else:
            is_long = NESTED & set(types_of(schema)) or name.endswith((".body", ".message", ".html"))
            widget = forms.Textarea(attrs={"rows": 3}) if is_long else forms.TextInput()
            field = forms.CharField(widget=widget, **options)
        field.help_text = "" if choices or types_of(schema) == ["string"] else kind_of(schema)
        self.fields[name] = field


def _written(value):
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if value not in (None, "") else ""
