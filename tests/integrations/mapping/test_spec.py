"""A mapping as a file: what goes out comes in again, and what is wrong is named by its line."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings

from integrations.mapping import spec
from integrations.mapping.lines import read_all
from integrations.mapping.targets import targets_of

pytestmark = pytest.mark.django_db

LINES = [
    {"erp": "email", "contact": "email", "steps": ["trim", "lower"]},
    {"erp": "fields.tier", "contact": "custom:contact.tier", "direction": "both", "conflict": "person",
     "steps": [{"do": "lookup", "table": {"A": "Gold", "no": "Silver"}, "otherwise": "keep"}]},
    {"contact": "source", "steps": [{"do": "constant", "text": "2026"}]},
]  # fmt: skip


BEGIN = "rankr_mapping: 1\nlines:\n"


@pytest.fixture
def read(northgate, fields):
    return lambda text: spec.read(text, targets_of(northgate))


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_goes_out_comes_in_again(form, read):
    lines = read_all(LINES)
    text = spec.written(lines, form)
    assert [line.told() for line in read(text)] == [line.told() for line in lines] == LINES
    assert spec.written(read(text), form) == text


def test_the_order_is_for_people(read):
    assert list(json.loads(spec.written(read_all(LINES), "json"))["lines"][1]) == [
        "erp", "contact", "direction", "steps", "conflict",
    ]  # fmt: skip


@pytest.mark.parametrize("text, said", [
    ("", "This file is empty."),
    ("lines: [", "Line 1: this is neither YAML nor JSON."),
    ('{"rankr_mapping": 1,\n"lines": [}', "Line 2: this is neither"),
    ("hello", "Line 1: This is no mapping of Rankr: it has no “lines”."),
    ("lines: []", "Line 1: This is no mapping of Rankr: it begins with “rankr_mapping: 1”."),
    ("rankr_mapping: 2\nlines: []", "begins with “rankr_mapping: 1”"),
    ("rankr_mapping: 1\nlines: no", "Line 2: “lines” has to be a list."),
    ("rankr_mapping: 1\nlines: []\nmore: 1", "Line 3: Nothing is called “more” here."),
    (BEGIN + "- email", "Line 3: A line of a mapping names its fields"),
    (BEGIN + "- erp: a\n  contakt: city", "Line 4: Nothing is called “contakt” here."),
    (BEGIN + "- erp: a\n  erp: b\n  contact: city", "Line 4: “erp” stands here twice."),
    (BEGIN + "- erp: [a]\n  contact: city", "Line 3: “erp” has to be one word or text."),
    (BEGIN + "- erp: a\n  contact: city\n  steps: trim", "Line 5: “steps” has to be a list."),
    (BEGIN + "- erp: a\n  contact: city\n  steps:\n  - do: date\n    from: x", "Line 6: Nothing is called “from”"),
    (BEGIN + "- erp: a\n  contact: city\n- erp: b\n  contact: city", "Line 6: City is written by line 1 already."),
    (BEGIN + "- erp: a\n  contact: shoe", "Line 4: A contact has no field “shoe”"),
    (BEGIN + "- erp: a\n  contact: city\n  empty: default", "Line 3: Say what to write"),
    ("rankr_mapping: 1\nlines: &a\n- *a", "no use for the & and *"),
    ("rankr_mapping: 1\nlines: " + "[" * 2000, "Line 1: this is neither"),
    ("x" * 300_001, "too long"),
])  # fmt: skip
def test_what_is_wrong_is_named_by_its_line(text, said, read):
    with pytest.raises(spec.BadSpec) as bad:
        read(text)
    assert any(said in sentence for sentence in bad.value.sentences), bad.value.sentences


def test_the_example_of_the_documentation_can_be_imported(read):
    text = (Path(settings.BASE_DIR) / "docs" / "field-mapping.md").read_text()
    example = re.search(r"```yaml\n(.+?)```", text, re.DOTALL)[1]
    assert len(read(example)) >= 6
