"""The editor of a draft: one line after another, each with what it makes of a real event while it is typed."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts.listing import search
from integrations.mapping import applying, preview, sample, suggest
from integrations.mapping.difference import label_of, rules_in_words
from integrations.mapping.lines import WORDS, Conflict, Direction, Empty, Line, check, read_all
from integrations.mapping.targets import targets_of
from integrations.mapping.transforms import STEPS
from integrations.matching import who
from integrations.models.field_mapping import ChangedMeanwhile
from integrations.views.mapping import mine
from rankr_dash.htmx import answer, wants_part

EVENTS = 20  # to choose from
MOST_STEPS = 20
FOUND = 8  # contacts


@require_safe
@login_required
def mapping(request, pk):
    """A version: to be edited while it is open, else only to be read."""
    version = mine(request, pk)
    context = _context(request, version)
    if version.is_open and {"n", "new"} & set(request.GET):  # with the form of a line, so that all of it is of one time
        context |= _opened(request, version)
    return answer(request, "integrations/mapping.html", context, part="integrations/_mapping_lines.html")


@require_safe
@login_required
def whom(request, pk):
    """Contacts to show the lines for."""
    version = mine(request, pk)
    q = " ".join(request.GET.get("who", "").replace("\x00", " ").split())[:200]
    found = search.matching(who.present(version.business_id).select_related("company"), q)[:FOUND] if q else []
    context = {"mapping": version, "found": found, "q": q}
    return render(request, "integrations/_mapping_whom.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def line(request, pk):
    """The form of one line; `n` is its number, and none for a new one. `act` says what was pressed."""
    version = mine(request, pk)
    if not version.is_open:
        return _moved_on(request, version)
    lines = read_all(version.lines)
    number = _number(request, lines)
    if request.method != "POST":
        return answer(
            request, "integrations/mapping_line.html", _opened(request, version), part="integrations/_mapping_line.html"
        )
    act, told = request.POST.get("act", "save"), _posted(request.POST)
    if act == "try":
        return _tried(request, version, told)
    if act != "save":
        return _form(request, version, number, _with_step(told, act, request.POST.get("add", "")))
    new = Line.read(told)
    after = [*lines[:number], new, *lines[number + 1 :]] if number is not None else [*lines, new]
    place = number if number is not None else len(lines)
    problems = {one.key: one.sentence for one in check(after, targets_of(version.business)) if one.index == place}
    if problems:
        return _form(request, version, number, told, problems, status=422)
    return _rewritten(request, version, after)


@require_POST
@login_required
def change_lines(request, pk):
    """Remove or move a line, take suggestions, or take the last change back."""
    version = mine(request, pk)
    act, lines = request.POST.get("act", ""), read_all(version.lines)
    number = _number(request, lines)
    if act == "undo":
        version.undo()
        return _shown(request, version)
    if act == "suggest":
        return _rewritten(request, version, [*lines, *_chosen(version, lines, request.POST.getlist("erp"))])
    if act == "remove" and number is not None:
        del lines[number]
        return _rewritten(request, version, lines)
    if act in ("up", "down") and number is not None:
        to = max(0, min(len(lines) - 1, number + (1 if act == "down" else -1)))
        lines.insert(to, lines.pop(number))
    return _rewritten(request, version, lines)


def _rewritten(request, version, lines):
    try:
        version.rewrite([one.told() for one in lines], request.POST.get("was", ""))
    except ChangedMeanwhile:
        messages.error(request, _("Somebody has changed this draft meanwhile. Here is how it stands now."))
    return _shown(request, version)


def _shown(request, version):
    """The editor as it stands now, in the place of whatever was pressed."""
    if not wants_part(request):
        return redirect("integrations:mapping", version.pk)
    version.refresh_from_db()
    response = render(request, "integrations/_mapping_lines.html", _context(request, version))
    response["HX-Retarget"], response["HX-Reswap"] = "#mapping-lines", "outerHTML"
    return response


def _moved_on(request, version):
    messages.error(request, _("This version can no longer be changed. Make a draft of it."))
    if not wants_part(request):
        return redirect("integrations:mapping", version.pk)
    response = render(request, "integrations/_mapping_lines.html", _context(request, version))
    response["HX-Redirect"] = reverse("integrations:mapping", args=[version.pk])
    return response


# --- the table --------------------------------------------------------------------------------------------------------


@dataclass
class Shown:
    """A line with its words, and what it makes of the event that is looked at."""

    number: int
    line: Line
    label: str
    kind: str
    steps: str
    rules: str
    lacking: str
    problem: str = ""
    came: str = ""
    state: str = ""
    result: str = ""
    sentence: str = ""


def _context(request, version):
    business, lines = version.business, read_all(version.lines)
    targets, seen = targets_of(business), suggest.seen_fields(business)
    shown_for = _sample(request, version)
    problems = {one.index: one.sentence for one in reversed(check(lines, targets))}
    rows = [_row(number, one, targets, problems, shown_for) for number, one in enumerate(lines)]
    mapped = {one.erp for one in lines}
    suggested = suggest.suggestions(seen, lines, targets) if version.is_open else []
    named = {one.line.erp for one in suggested}
    return {
        "mapping": version, "business": business, "rows": rows, "sample": shown_for, "events": _events(version),
        "suggestions": suggested, "in_order": not problems,
        "unmapped": [one for one in seen if one.count and one.way not in mapped and one.way not in named],
    }  # fmt: skip


def _row(number, line, targets, problems, shown_for):
    target = targets.get(line.contact)
    shown = Shown(
        number, line, label_of(line.contact, targets), target.kind if target else "", line.say(), rules_in_words(line),
        ", ".join(target.lacking) if target else "", problems.get(number, ""),
    )  # fmt: skip
    return _with_result(shown, shown_for) if shown_for and not shown.problem else shown


def _with_result(shown, shown_for):
    event, contact = shown_for.event, shown_for.contact
    if contact is None or event is None:
        return shown
    found = applying.results_of(event.body, contact, [shown.line]) if shown.line.goes_in else []
    for one in found:
        shown.state, shown.sentence = one.state, one.sentence
        shown.came = "" if one.came is None or one.state == "absent" else str(one.came)
        tags = [*(f"+ {tag}" for tag in one.add), *(f"− {tag}" for tag in one.remove)]
        shown.result = one.words if one.into else ", ".join(tags) or str(one.value or "")
    if shown.line.goes_out and not found:
        told = applying.outward_of(contact, [shown.line])
        shown.state, shown.result = "out", str(told.get(shown.line.erp) or "")
    return shown


def _sample(request, version):
    """What the lines are shown for: the event or the contact that was chosen, else the last event. None before it."""
    asked = request.POST if request.method == "POST" else request.GET
    events, chosen = _events(version), asked.get("event", "")
    event = next((one for one in events if str(one.pk) == chosen), None)
    if event is None and (contact := _contact(version, asked.get("person", ""))):
        return sample.of_contact(version, contact, read_all(version.lines), _clean(asked.get("sample", "")))
    event = event or (events[0] if events else None)
    return sample.of_event(event) if event else None


def _contact(version, chosen):
    if not chosen.isdecimal() or len(chosen) > 18:
        return None
    return who.present(version.business_id).select_related("company", "owner").filter(pk=chosen).first()


def _events(version):
    """The last ones, the newest first."""
    if not hasattr(version, "_last_events"):
        version._last_events = preview.last_events(version.business, EVENTS)[::-1]
        for one in version._last_events:
            one.title = preview.Row(one, "same").title
    return version._last_events


def _chosen(version, lines, ways):
    found = suggest.suggestions(suggest.seen_fields(version.business), lines, targets_of(version.business))
    return [one.line for one in found if one.line.erp in ways]


# --- the form of a line -----------------------------------------------------------------------------------------------


def _opened(request, version):
    """The form of the line that is asked for, as it is kept."""
    lines = read_all(version.lines)
    number = _number(request, lines)
    old = lines[number] if number is not None else Line(request.GET.get("erp", "")[:200], "")
    return _drawing(request, version, number, {**old.told(), "steps": [_told(step) for step in old.steps]})


def _form(request, version, number, told, problems=None, status=200):
    context = _drawing(request, version, number, told, problems)
    page, part = "integrations/mapping_line.html", "integrations/_mapping_line.html"
    return answer(request, page, context, part=part, status=status)


def _drawing(request, version, number, told, problems=None):
    targets = targets_of(version.business)
    groups: dict[str, list[Any]] = {}
    for one in targets.values():
        groups.setdefault(one.group, []).append(one)
    steps = told.get("steps", [])
    return {
        "mapping": version, "business": version.business, "n": number, "told": told, "problems": problems or {},
        "targets": groups, "target": targets.get(told.get("contact", "")),
        "seen": suggest.seen_fields(version.business),
        "steps": [_drawn(place, one) for place, one in enumerate(steps)],
        "kinds": [(name, step.label) for name, step in STEPS.items()],
        "directions": [(one, WORDS[one]) for one in Direction], "empties": [(one, WORDS[one]) for one in Empty],
        "conflicts": [(one, WORDS[one]) for one in Conflict],
        "shown": _live(request, version, told, targets),
    }  # fmt: skip


def _tried(request, version, told):
    shown = _live(request, version, told, targets_of(version.business))
    return render(request, "integrations/_mapping_result.html", {"row": shown})


def _live(request, version, told, targets):
    """What the line, as it is typed, makes of the event."""
    line = Line.read(told)
    problems = [sentence for _key, sentence in line.problems(targets)]
    problem = problems[0] if problems and line.erp and line.contact else ""
    row = Shown(0, line, label_of(line.contact, targets), "", line.say(), rules_in_words(line), "", problem)
    shown_for = _sample(request, version)
    return _with_result(row, shown_for) if shown_for and not problems else row


def _drawn(place, told):
    """A step with its settings as the form shows them."""
    step = STEPS.get(str(told.get("do")))
    rows = [
        {"name": f"step-{place}-{one.name}", "setting": one, "value": _typed(told.get(one.name, ""))}
        for one in (step.settings if step else ())
    ]
    return {"place": place, "name": told.get("do"), "label": step.label if step else told.get("do"), "settings": rows}


def _typed(value):
    return "\n".join(f"{key} = {one}" for key, one in value.items()) if isinstance(value, dict) else value


def _told(step):
    return {"do": step.name, **step.told, **({"table": step.table} if step.name == "lookup" else {})}


def _posted(data):
    keys = ("erp", "contact", "direction", "empty", "default", "conflict")
    told: dict[str, Any] = {key: _clean(data.get(key, ""))[:2000] for key in keys}
    names = enumerate(data.getlist("step")[:MOST_STEPS])
    told["steps"] = [{"do": name, **_settings(data, place, name)} for place, name in names if name in STEPS]
    return told


def _settings(data, place, name):
    return {one.name: _clean(data.get(f"step-{place}-{one.name}", "")) for one in STEPS[name].settings}


def _clean(text):
    return text.replace("\r\n", "\n").replace("\x00", "").strip()


def _with_step(told, act, add):
    steps = told["steps"]
    verb, _dash, place = act.partition("-")
    if act == "add" and add in STEPS:
        steps.append({"do": add})
    elif place.isdecimal() and len(place) < 4 and int(place) < len(steps):
        moved = steps.pop(int(place))
        if verb == "earlier":
            steps.insert(max(0, int(place) - 1), moved)
    return told


def _number(request, lines):
    given = request.POST.get("n") or request.GET.get("n", "")
    return int(given) if given.isdecimal() and len(given) < 5 and int(given) < len(lines) else None
