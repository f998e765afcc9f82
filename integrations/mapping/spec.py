"""A mapping as a file that can be kept in version control: YAML or JSON, in an order that never changes."""

import json
from collections.abc import Mapping
from typing import Any

import yaml
from django.utils.translation import gettext as _

from integrations.mapping.lines import KEYS, Line, Problem, check, read_all
from integrations.mapping.targets import Target

FORMAT = 1
LONGEST = 300_000
STEP_KEYS = ("do", "form", "decimal", "table", "otherwise", "use", "text")
FORMS = {"yaml": "application/yaml", "json": "application/json"}


class BadSpec(ValueError):
    """A file that cannot be read. `sentences` name their lines."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(sentences[0])
        self.sentences = sentences


def written(lines: list[Line], form: str = "yaml") -> str:
    told = {"rankr_mapping": FORMAT, "lines": [line.told() for line in lines]}
    if form == "json":
        return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=120)


def read(text: str, targets: Mapping[str, Target]) -> list[Line]:
    """The lines of a file, all in order. Raises BadSpec with a sentence for everything that is not."""
    if len(text) > LONGEST:
        raise BadSpec([_("This file is too long for a mapping.")])
    root = _parsed(text)
    problems: list[str] = []
    told = _told(root, problems, 0)
    places = _places(root, problems)
    if problems:
        raise BadSpec(problems)
    lines = read_all(told["lines"])
    found = [_sentence(one, places) for one in check(lines, targets)]
    if found:
        raise BadSpec(found)
    return lines


def _parsed(text):
    """The tree with the lines of all nodes. Every word in it is a text: no, 1e3 and 2026-11-30 mean what they say."""
    try:
        # One thing named at two places makes a small file a huge one.
        if any(isinstance(one, yaml.AliasToken) for one in yaml.scan(text, Loader=yaml.BaseLoader)):
            raise BadSpec([_("A mapping has no use for the & and * of YAML. Write the value out.")])
        root = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as bad:
        mark = getattr(bad, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise BadSpec([_("Line %(line)d: this is neither YAML nor JSON.") % {"line": line}]) from None
    if root is None:
        raise BadSpec([_("This file is empty.")])
    return root


def _told(node, problems, depth):
    """The values of a tree."""
    if depth > 8:
        problems.append(_at(node, _("This is nested too deeply.")))
        return ""
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                problems.append(_at(key, _("“%(name)s” stands here twice.") % {"name": name}))
            found[name] = _told(value, problems, depth + 1)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_told(one, problems, depth + 1) for one in node.value]
    return "" if node.value in ("null", "~") and node.style is None else node.value


def _places(root, problems):
    """For each line of the mapping, where it and its keys stand in the file. Adds what is wrong with the shape."""
    top = _keys(root)
    if top is None or "lines" not in top:
        problems.append(_at(root, _("This is no mapping of Rankr: it has no “lines”.")))
        return []
    if "rankr_mapping" not in top or top["rankr_mapping"][1].value != str(FORMAT):
        problems.append(_at(root, _("This is no mapping of Rankr: it begins with “rankr_mapping: 1”.")))
    for name in top.keys() - {"rankr_mapping", "lines"}:
        problems.append(_at(top[name][0], _("Nothing is called “%(name)s” here.") % {"name": name}))
    listed = top["lines"][1]
    if not isinstance(listed, yaml.SequenceNode):
        problems.append(_at(listed, _("“lines” has to be a list.")))
        return []
    return [_place(node, problems) for node in listed.value]


def _place(node, problems):
    keys = _keys(node)
    if keys is None:
        problems.append(_at(node, _("A line of a mapping names its fields: “erp” and “contact”.")))
        return {}
    for name in keys.keys() - set(KEYS):
        words = _("Nothing is called “%(name)s” here. There are: %(known)s.")
        problems.append(_at(keys[name][0], words % {"name": name, "known": ", ".join(KEYS)}))
    for name in keys.keys() - {"steps"}:
        if not isinstance(keys[name][1], yaml.ScalarNode):
            problems.append(_at(keys[name][1], _("“%(name)s” has to be one word or text.") % {"name": name}))
    if "steps" in keys:
        _check_steps(keys["steps"][1], problems)
    return {"": node.start_mark.line + 1} | {name: key.start_mark.line + 1 for name, (key, _value) in keys.items()}


def _check_steps(node, problems):
    if not isinstance(node, yaml.SequenceNode):
        problems.append(_at(node, _("“steps” has to be a list.")))
        return
    for one in node.value:
        for name in (_keys(one) or {}).keys() - set(STEP_KEYS):
            words = _("Nothing is called “%(name)s” here. There are: %(known)s.")
            problems.append(_at(one, words % {"name": name, "known": ", ".join(STEP_KEYS)}))


def _keys(node):
    return {str(key.value): (key, value) for key, value in node.value} if isinstance(node, yaml.MappingNode) else None


def _sentence(problem: Problem, places: list[dict[str, int]]) -> str:
    place = places[problem.index] if problem.index < len(places) else {}
    return _("Line %(line)d: %(sentence)s") % {
        "line": place.get(problem.key) or place.get("") or 1, "sentence": problem.sentence,
    }  # fmt: skip


def _at(node, sentence):
    return _("Line %(line)d: %(sentence)s") % {"line": node.start_mark.line + 1, "sentence": sentence}
