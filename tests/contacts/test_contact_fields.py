"""Fields edited where they stand, each by its type, and the sentence when a value cannot be taken."""

import pytest

from contacts.models import CustomField

HTMX = {"HX-Request": "true"}


@pytest.fixture
def edit(as_user, ana, contact):
    client = as_user(ana)

    def post(slug, value, headers=HTMX):
        return client.post(f"/contacts/{contact.pk}/fields/{slug}/", {"value": value}, headers=headers)

    return post


@pytest.fixture
def custom(location):
    def make(name, data_type, options=(), **values):
        remote_id = f"cf{CustomField.objects.count()}"
        return CustomField.objects.create(
            location=location, remote_id=remote_id, name=name, data_type=data_type, options=list(options), **values
        )

    return make


def text(response):
    return response.content.decode()


def test_a_field_is_saved_and_queued_for_ghl(edit, contact):
    response = edit("city", "Chicago")
    contact.refresh_from_db()
    assert contact.city == "Chicago"
    assert contact.changes.get().values == {"city": "Chicago"}
    assert "Queued" in text(response) and 'id="field-city"' in text(response)
    assert "contact-changed" in response["HX-Trigger"]


def test_without_scripts_it_goes_back_to_the_page(edit, contact):
    assert edit("city", "Chicago", headers={})["Location"] == contact.get_absolute_url()


def test_saving_what_stands_there_changes_nothing(edit, contact):
    assert edit("email", "marisol@example.com").status_code == 200
    assert edit("phone", "(312) 555-0148").status_code == 200
    assert not contact.changes.exists()


def test_a_new_name_shows_in_the_head(edit):
    assert "name-changed" in edit("first_name", "Mari")["HX-Trigger"]


def test_a_phone_number_is_kept_as_typed(edit, contact):
    edit("phone", "312-555-0199")
    contact.refresh_from_db()
    assert contact.phone == "312-555-0199"


@pytest.mark.parametrize(
    "slug, typed, sentence",
    [
        ("email", "marisol@", "not an e-mail address"),
        ("phone", "12", "cannot be a phone number"),
        ("date_of_birth", "31.31.2020", "not a date"),
        ("date_of_birth", "9999999999-01-01", "not a date"),
        ("city", "x" * 201, "200 letters fit, not 201"),
        ("city", "a\x00b", "Null characters"),
    ],
)
def test_what_cannot_be_taken_stays_with_a_sentence(edit, contact, slug, typed, sentence):
    before = contact.value(slug)
    response = edit(slug, typed)
    assert response.status_code == 422
    assert sentence in text(response)
    assert "\x00" in typed or typed in text(response)
    contact.refresh_from_db()
    assert contact.value(slug) == before and not contact.changes.exists()


def test_without_scripts_the_sentence_stands_on_the_whole_page(edit):
    response = edit("email", "marisol@", headers={})
    assert response.status_code == 422
    assert "not an e-mail address" in text(response) and "<h1" in text(response) and "Save note" in text(response)


@pytest.mark.parametrize("slug", ["company_name", "type"])
def test_what_ghl_does_not_let_us_change_is_shown_with_the_reason(edit, contact, as_user, ana, slug):
    setattr(contact, slug, "Halden")
    contact.save()
    shown = text(as_user(ana).get(contact.get_absolute_url()))
    assert "Halden" in shown and "Can be changed only in GHL." in shown and f'id="value-{slug}"' not in shown
    assert edit(slug, "Other").status_code == 403


@pytest.mark.parametrize("slug", ["nonsense", "custom-0", "owner", "tags", "business"])
def test_there_are_no_other_fields(edit, slug):
    assert edit(slug, "x").status_code == 404


def test_empty_fields_are_folded(contact, as_user, ana):
    assert "empty fields hidden" in text(as_user(ana).get(contact.get_absolute_url()))


def test_a_field_is_found_without_scripts(contact, as_user, ana):
    shown = text(as_user(ana).get(contact.get_absolute_url() + "?find=phone"))
    assert 'id="field-phone"' in shown and 'id="field-email"' not in shown


def test_do_not_disturb_is_shown(contact, as_user, ana):
    contact.dnd_settings = {"SMS": {"status": "active"}, "Email": {"status": "inactive"}}
    contact.save()
    assert "No SMS" in text(as_user(ana).get(contact.get_absolute_url()))


# --- custom fields ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data_type, options, typed, kept",
    [
        ("TEXT", [], "Lakeshore", "Lakeshore"),
        ("LARGE_TEXT", [], "one\r\ntwo", "one\r\ntwo"),
        ("NUMERICAL", [], "1,250", 1250),
        ("NUMERICAL", [], "12.5", 12.5),
        ("MONETORY", [], "$48,200", 48200),
        ("PHONE", [], "+1 312 555 0199", "+1 312 555 0199"),
        ("DATE", [], "2026-11-30", "2026-11-30"),
        ("SINGLE_OPTIONS", ["Tile", "Metal"], "Tile", "Tile"),
        ("RADIO", ["Morning", "Evening"], "Evening", "Evening"),
        ("MULTIPLE_OPTIONS", ["Repair", "Siding"], ["Repair", "Siding"], ["Repair", "Siding"]),
        ("CHECKBOX", ["Yes"], ["Yes"], ["Yes"]),
    ],
)
def test_each_type_keeps_its_kind_of_value(edit, contact, custom, data_type, options, typed, kept):
    field = custom("Thing", data_type, options)
    assert edit(f"custom-{field.pk}", typed).status_code == 200
    contact.refresh_from_db()
    assert contact.custom_values == {field.remote_id: kept}


def test_a_change_carries_only_the_custom_field_that_changed(edit, contact, custom):
    roof, budget = custom("Roof", "TEXT"), custom("Budget", "MONETORY")
    contact.custom_values = {roof.remote_id: "Tile", budget.remote_id: 40000}
    contact.save()
    edit(f"custom-{budget.pk}", "48200")
    change = contact.changes.get()
    assert change.values == {"custom_values": {budget.remote_id: 48200}}
    assert change.before == {"custom_values": {budget.remote_id: 40000}}
    contact.refresh_from_db()
    assert contact.custom_values == {roof.remote_id: "Tile", budget.remote_id: 48200}


def test_a_cleared_custom_field_is_carried_as_nothing(edit, contact, custom):
    roof = custom("Roof", "TEXT")
    contact.custom_values = {roof.remote_id: "Tile"}
    contact.save()
    edit(f"custom-{roof.pk}", "")
    contact.refresh_from_db()
    assert contact.custom_values == {}
    assert contact.changes.get().values == {"custom_values": {roof.remote_id: None}}


@pytest.mark.parametrize(
    "data_type, options, typed",
    [
        ("NUMERICAL", [], "many"), ("MONETORY", [], "NaN"), ("DATE", [], "soon"), ("SINGLE_OPTIONS", ["Tile"], "Gold"),
        ("MULTIPLE_OPTIONS", ["Tile"], ["Tile", "Gold"]), ("PHONE", [], "x"), ("NUMERICAL", [], "1e99"),
    ],
)  # fmt: skip
def test_a_custom_value_that_does_not_fit_is_not_taken(edit, contact, custom, data_type, options, typed):
    field = custom("Thing", data_type, options)
    assert edit(f"custom-{field.pk}", typed).status_code == 422
    assert not contact.changes.exists()


def test_an_option_that_is_gone_may_stay(edit, contact, custom):
    field = custom("Wants", "MULTIPLE_OPTIONS", ["Repair"])
    contact.custom_values = {field.remote_id: ["Gone"]}
    contact.save()
    assert edit(f"custom-{field.pk}", ["Gone", "Repair"]).status_code == 200


@pytest.mark.parametrize("data_type", ["FILE_UPLOAD", "SIGNATURE", "TEXTBOX_LIST", ""])
def test_other_types_are_only_shown(edit, contact, custom, as_user, ana, data_type):
    field = custom("Plan", data_type)
    contact.custom_values = {field.remote_id: {"url": "https://example.com/plan.pdf"}}
    contact.save()
    assert "Can be changed only in GHL." in text(as_user(ana).get(contact.get_absolute_url()))
    assert edit(f"custom-{field.pk}", "x").status_code == 403


def test_a_field_of_another_location_is_not_there(edit, second_location):
    field = CustomField.objects.create(location=second_location, remote_id="cfX", name="X", data_type="TEXT")
    assert edit(f"custom-{field.pk}", "x").status_code == 404


def test_a_date_that_ghl_keeps_as_a_moment_is_shown_as_a_day(contact, custom, as_user, ana):
    first, second = custom("Signed", "DATE"), custom("Sold", "DATE")
    contact.custom_values = {first.remote_id: 1796083200000, second.remote_id: "2026-12-05T00:00:00.000Z"}
    contact.save()
    shown = text(as_user(ana).get(contact.get_absolute_url()))
    assert 'value="2026-12-01"' in shown and 'value="2026-12-05"' in shown
