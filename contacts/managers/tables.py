"""The figures of each report as the rows of a file, headed by the first."""

from django.utils.translation import gettext as _


def work(scope, report):
    yield [_("What"), _("Person"), *scope.weeks, _("All")]
    for number, label in enumerate(report["labels"]):
        for person in report["people"]:
            columns = person.work[number]
            yield [label, person.name, *(bar.count for week in columns.weeks for bar in week), columns.total]


def ageing(scope, report):
    yield [_("Person"), *(words for _kind, words in report["legend"]), _("All")]
    for row in report["rows"]:
        yield [row.name, *(bar.count for bar in row.bars), row.total]


def first_touch(scope, report):
    yield [_("First touched"), _("Contacts")]
    yield from ([row.name, row.total] for row in report["rows"])


def appointments(scope, report):
    yield [_("Week of"), *(words for _kind, words in report["legend"])]
    yield from ([week, *(bar.count for bar in bars)] for week, bars in report["weeks"])


def quiet(scope, report):
    yield [_("Quiet for"), _("Contacts")]
    yield from ([row.name, row.total] for row in report["rows"])
