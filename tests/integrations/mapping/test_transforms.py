import pytest

from integrations.mapping.lines import Line
from integrations.mapping.transforms import STEPS, Around, Unfit

AROUND = Around("US", lambda: {"event": {"city": "Chicago"}, "contact": {"first_name": "Ana"}})


def ahead(value, *steps):
    return Line.read({"erp": "x", "contact": "city", "steps": list(steps)}).ahead(value, AROUND)


def back(value, *steps):
    return Line.read({"erp": "x", "contact": "city", "steps": list(steps)}).back(value, AROUND)


TIERS = {"do": "lookup", "table": {"A": "Gold", "B": "Silver"}}


@pytest.mark.parametrize("value, steps, wanted", [
    ("  12  Fulton St ", ["trim"], "12 Fulton St"),
    ("MARISOL O'BRIEN-SMITH, ANA'S", ["title"], "Marisol O'Brien-Smith, Ana's"),
    ("Ä b", ["upper"], "Ä B"),
    ("Ä b", ["lower"], "ä b"),
    ("(312) 555-0148", ["phone"], "+13125550148"),
    ("30.11.2026", [{"do": "date", "form": "DD.MM.YYYY"}], "2026-11-30"),
    ("3/1/26 10:15", [{"do": "date", "form": "M/D/YY"}], "2026-03-01"),
    ("20261130", [{"do": "date", "form": "YYYYMMDD"}], "2026-11-30"),
    ("1.250,50", [{"do": "number", "decimal": ","}], 1250.5),
    ("$1,250.00", ["number"], 1250),
    (1250.5, [{"do": "number", "decimal": ","}], 1250.5),
    (" a ", ["trim", TIERS], "Gold"),
    (["A", "B"], [TIERS], ["Gold", "Silver"]),
    ("C", [{**TIERS, "otherwise": "keep"}], "C"),
    ("C", [{**TIERS, "otherwise": "empty"}], ""),
    ("C", [{**TIERS, "otherwise": "use", "use": "None"}], "None"),
    ("8841", [{"do": "template", "text": "{{ value }} {{ event.city }} {{ contact.first_name }}"}], "8841 Chicago Ana"),
    (None, [{"do": "constant", "text": "ERP"}], "ERP"),
    ("", ["phone", {"do": "date", "form": "DD.MM.YYYY"}, "number"], ""),
])  # fmt: skip
def test_a_value_takes_its_steps_one_after_another(value, steps, wanted):
    assert ahead(value, *steps) == wanted


@pytest.mark.parametrize("value, step, said", [
    ("12", "phone", "cannot be a phone number"),
    ("31.02.2026", {"do": "date", "form": "DD.MM.YYYY"}, "is no date written as DD.MM.YYYY"),
    ("2026-11-30", {"do": "date", "form": "DD.MM.YYYY"}, "is no date"),
    ("twelve", "number", "not a number"),
    ("1e400", "number", "not a number"),
    ("1.250,50", "number", "not a number"),
    ("12,50", "number", "not a number"),
    ("C", TIERS, "not in the table"),
])  # fmt: skip
def test_a_value_that_does_not_fit_is_told_so(value, step, said):
    with pytest.raises(Unfit, match=said):
        ahead(value, step)


@pytest.mark.parametrize("value, step, wanted", [
    ("Gold", TIERS, "A"),
    ("Bronze", TIERS, "Bronze"),
    ("2026-11-30", {"do": "date", "form": "D.M.YY"}, "30.11.26"),
    (1250.5, {"do": "number", "decimal": ","}, "1250,5"),
])  # fmt: skip
def test_on_the_way_out_it_is_put_as_the_erp_writes_it(value, step, wanted):
    assert back(value, step) == wanted


@pytest.mark.parametrize("step, said", [
    ({"do": "date", "form": "DD.MM"}, "a year, a month and a day"),
    ({"do": "date"}, "a year, a month and a day"),
    ({"do": "number", "decimal": ";"}, "point or a comma"),
    ({"do": "lookup"}, "table is empty"),
    ({"do": "lookup", "table": "A Gold"}, "no “=”"),
    ({"do": "lookup", "table": {"A": "1", "a ": "2"}}, "twice"),
    ({"do": "lookup", "table": {"A": "1"}, "otherwise": "use"}, "what a value becomes"),
    ({"do": "lookup", "table": {"A": "1"}, "otherwise": "guess"}, "can be: refuse"),
    ({"do": "template", "text": "{{ event.city"}, "braces"),
    ({"do": "template"}, "Write the text"),
    ({"do": "constant"}, "Write the value"),
])  # fmt: skip
def test_a_step_that_makes_no_sense_says_what_is_missing(step, said):
    assert said in STEPS[step["do"]](step).problems()[0]


def test_a_table_may_be_typed_line_by_line():
    step = STEPS["lookup"]({"table": "A = Gold\n\nB=Silver = best\n"})
    assert step.table == {"A": "Gold", "B": "Silver = best"}
