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


@pytest.mark.parametrize(
    "typed, kept",
    [
        ("312-555-0199", "+13125550199"),
        ("+49 30 1234567", "+49301234567"),
        ("312-555-0199 ext. 5", "312-555-0199 ext. 5"),  # an extension would be lost in the other form
    ],
)
def test_a_phone_number_is_kept_as_ghl_writes_it(edit, contact, typed, kept):
    edit("phone", typed)
    contact.refresh_from_db()
    assert contact.phone == kept


def test_a_phone_number_without_country_is_one_of_where_the_person_lives(edit, contact):
    contact.country = "DE"
    contact.save()
    edit("phone", "030 1234567")
    contact.refresh_from_db()
    assert contact.phone == "+49301234567"


@pytest.mark.parametrize(
    "slug, typed, kept",
    [
        ("time_zone", "America/New_York", "America/New_York"),
        ("time_zone", "new york", "America/New_York"),
        ("time_zone", "Berlin", "Europe/Berlin"),
        ("country", "Germany", "DE"),
        ("country", "gb", "GB"),
    ],
)
def test_places_are_taken_by_name(edit, contact, as_user, ana, slug, typed, kept):
    assert edit(slug, typed).status_code == 200
    contact.refresh_from_db()
    assert getattr(contact, slug) == kept


def test_places_are_shown_by_name_and_are_no_edit_when_sent_back(edit, contact, as_user, ana):
    contact.time_zone, contact.country = "America/New_York", "US"
    contact.save()
    shown = text(as_user(ana).get(contact.get_absolute_url()))
    assert 'value="New York"' in shown and 'value="United States"' in shown
    edit("time_zone", "New York")
    edit("country", "United States")
    assert not contact.changes.exists()


def test_a_country_that_ghl_keeps_in_words_stays_as_it_is(edit, contact):
    contact.country = "Freedonia"
    contact.save()
    assert edit("country", "Freedonia").status_code == 200
    assert not contact.changes.exists()


@pytest.mark.parametrize("control, offered", [("time-zones", "Europe/Berlin"), ("countries", "Germany")])
def test_long_lists_of_choices_come_when_they_are_wanted(as_user, ana, contact, control, offered):
    client = as_user(ana)
    assert offered not in text(client.get(contact.get_absolute_url()))
    assert f'<option value="{offered}">' in text(client.get(f"/choices/{control}/"))


@pytest.mark.parametrize(
    "slug, typed, sentence",
    [
        ("email", "marisol@", "not an e-mail address"),
        ("phone", "12", "cannot be a phone number"),
        ("date_of_birth", "31.31.2020", "not a date"),
        ("date_of_birth", "9999999999-01-01", "not a date"),
        ("date_of_birth", "2100-01-01", "a day to come"),
        ("time_zone", "Mars/Olympus", "No time zone is called that"),
        ("time_zone", "../../etc/passwd", "No time zone is called that"),
        ("country", "Narnia", "No country is called that"),
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


# --- what is empty, what is looked for --------------------------------------------------------------------------------


def test_empty_fields_are_left_out_until_they_are_wanted(contact, as_user, ana):
    client = as_user(ana)
    shown = text(client.get(contact.get_absolute_url()))
    assert "empty fields hidden" in shown and 'id="field-city"' not in shown
    wanted = text(client.get(f"/contacts/{contact.pk}/fields/?hidden", headers=HTMX))
    assert 'id="field-city"' in wanted and 'id="field-email"' not in wanted


def test_that_empty_fields_are_shown_is_remembered_for_every_contact(contact, add_contact, as_user, ana, max_):
    client = as_user(ana)
    answer = client.post(f"/contacts/{contact.pk}/empty-fields/", {"show": "1"}, headers=HTMX)
    assert 'id="field-city"' in text(answer) and "Empty fields are shown" in text(answer)
    other = add_contact("Bo Halden")
    assert 'id="field-city"' in text(client.get(other.get_absolute_url()))
    assert 'id="field-city"' not in text(as_user(max_).get(other.get_absolute_url()))
    client.post(f"/contacts/{contact.pk}/empty-fields/", {"show": "0"})
    assert 'id="field-city"' not in text(client.get(other.get_absolute_url()))


@pytest.mark.parametrize("find", ["phone", "555-01", "E-MAIL", "city"])
def test_a_field_is_found_by_name_or_value_without_scripts(contact, as_user, ana, find):
    shown = text(as_user(ana).get(contact.get_absolute_url(), {"find": find}))
    found = {slug for slug in ("phone", "email", "city") if f'id="field-{slug}"' in shown}
    assert found == {{"555-01": "phone", "E-MAIL": "email"}.get(find, find)}


def test_nothing_found_is_said(contact, as_user, ana):
    assert "No field has “zzz”" in text(as_user(ana).get(contact.get_absolute_url(), {"find": "zzz"}))


def test_fields_stand_in_their_folders_where_ghl_names_them(contact, custom, as_user, ana):
    named = custom("Roof type", "TEXT", group="f1", group_name="Roof project")
    other = custom("Carrier", "TEXT", group="f2")
    contact.custom_values = {named.remote_id: "Tile", other.remote_id: "Lakeshore"}
    contact.save()
    shown = text(as_user(ana).get(contact.get_absolute_url()))
    assert shown.index(">Roof project<") < shown.index(f'id="field-custom-{named.pk}"')
    assert shown.index(">Custom fields<") < shown.index(f'id="field-custom-{other.pk}"')


# --- custom fields ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data_type, options, typed, kept",
    [
        ("TEXT", [], "Lakeshore", "Lakeshore"),
        ("LARGE_TEXT", [], "one\r\ntwo", "one\ntwo"),
        ("NUMERICAL", [], "1,250", 1250),
        ("NUMERICAL", [], "12.5", 12.5),
        ("FLOAT", [], "-0.5", -0.5),
        ("EMAIL", [], "ray@example.com", "ray@example.com"),
        ("TIME", [], "14:30", "14:30"),
        ("TIME", [], "2:30 pm", "14:30"),
        ("MONETORY", [], "$48,200", 48200),
        ("PHONE", [], "(312) 555-0199", "+13125550199"),
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
        ("NUMERICAL", [], "1.250,50"), ("MONETORY", [], "12abc"), ("EMAIL", [], "ray@"), ("TIME", [], "25:00"),
        ("RADIO", ["Morning"], "Night"), ("FLOAT", [], "Infinity"),
    ],
)  # fmt: skip
def test_a_custom_value_that_does_not_fit_is_not_taken(edit, contact, custom, data_type, options, typed):
    field = custom("Thing", data_type, options)
    assert edit(f"custom-{field.pk}", typed).status_code == 422
    assert not contact.changes.exists()


def test_numbers_are_read_and_written_as_the_reader_does(contact, custom, as_user, ana, location):
    location.currency, ana.region = "USD", "DE"
    location.save()
    ana.save()
    budget, size = custom("Budget", "MONETORY"), custom("Size", "NUMERICAL")
    contact.custom_values = {budget.remote_id: 48200, size.remote_id: "12.34567"}
    contact.save()
    client = as_user(ana)
    shown = text(client.get(contact.get_absolute_url()))
    assert 'value="48.200\xa0$"' in shown or 'value="48.200\xa0US$"' in shown
    assert 'value="12,34567"' in shown
    client.post(f"/contacts/{contact.pk}/fields/custom-{budget.pk}/", {"value": "1.250,50 $"}, headers=HTMX)
    client.post(f"/contacts/{contact.pk}/fields/custom-{size.pk}/", {"value": "12,34567"}, headers=HTMX)
    contact.refresh_from_db()
    assert contact.custom_values == {budget.remote_id: 1250.5, size.remote_id: "12.34567"}


def test_money_is_shown_in_the_currency_of_the_location(contact, custom, as_user, ana, location):
    location.currency = "USD"
    location.save()
    budget = custom("Budget", "MONETORY")
    contact.custom_values = {budget.remote_id: 48200}
    contact.save()
    shown = text(as_user(ana).get(contact.get_absolute_url(), headers={"Accept-Language": "en-US"}))
    assert 'value="$48,200"' in shown


def test_an_option_that_is_gone_may_stay(edit, contact, custom):
    field = custom("Wants", "MULTIPLE_OPTIONS", ["Repair"])
    contact.custom_values = {field.remote_id: ["Gone"]}
    contact.save()
    assert edit(f"custom-{field.pk}", ["Gone", "Repair"]).status_code == 200


@pytest.mark.parametrize(
    "data_type, reason",
    [
        ("FILE_UPLOAD", "Files are added and removed in GHL."),
        ("SIGNATURE", "Signed in GHL; nobody can sign here."),
        ("HOLOGRAM", "Rankr does not know fields of the kind HOLOGRAM."),
        ("", "Can be changed only in GHL."),
    ],
)
def test_other_types_are_only_shown(edit, contact, custom, as_user, ana, data_type, reason):
    field = custom("Plan", data_type)
    contact.custom_values = {field.remote_id: {"url": "https://example.com/plan.pdf"}}
    contact.save()
    shown = text(as_user(ana).get(contact.get_absolute_url()))
    assert reason in shown and "plan.pdf" in shown
    assert edit(f"custom-{field.pk}", "x").status_code == 403


@pytest.mark.parametrize(
    "value, link",
    [
        ("https://files.example/a/site%20plan.pdf", 'href="https://files.example/a/site%20plan.pdf"'),
        ({"u1": {"meta": {"originalname": "Plan.pdf"}, "url": "https://files.example/x"}}, ">Plan.pdf</a>"),
        (["https://files.example/1.png", "https://files.example/2.png"], ">2.png</a>"),
        ("javascript:alert(1)", ""),
        ({"u1": {"url": "data:text/html,x", "name": "<b>plan</b>"}}, ""),
    ],
)
def test_a_file_is_a_link_only_where_it_is_safe_to_follow(contact, custom, as_user, ana, value, link):
    field = custom("Plan", "FILE_UPLOAD")
    contact.custom_values = {field.remote_id: value}
    contact.save()
    shown = text(as_user(ana).get(contact.get_absolute_url()))
    part = shown[shown.index(f'id="field-custom-{field.pk}"') :][:900]
    assert link in part and "<b>plan" not in part
    assert ("<a " in part) == bool(link) and "javascript:" not in part.replace("javascript:alert", "")


def test_a_list_of_text_boxes_keeps_a_text_for_each(contact, custom, as_user, ana):
    field = custom("Pets", "TEXTBOX_LIST", [{"id": "b1", "label": "Dog"}, "Cat"])
    client = as_user(ana)
    address = f"/contacts/{contact.pk}/fields/custom-{field.pk}/"
    client.post(address, {"value-b1": " Rex ", "value-Cat": "", "value-Tiger": "Shere Khan"}, headers=HTMX)
    contact.refresh_from_db()
    assert contact.custom_values == {field.remote_id: {"b1": "Rex"}}
    assert "Dog: Rex" in text(client.get(contact.get_absolute_url()))
    client.post(address, {"value-b1": "", "value-Cat": ""}, headers=HTMX)
    contact.refresh_from_db()
    assert contact.custom_values == {}


def test_a_box_that_is_gone_stays_while_it_holds_a_text(contact, custom, as_user, ana):
    field = custom("Pets", "TEXTBOX_LIST", ["Dog"])
    contact.custom_values = {field.remote_id: {"Dog": "Rex", "Snake": "Kaa"}}
    contact.save()
    client = as_user(ana)
    client.post(
        f"/contacts/{contact.pk}/fields/custom-{field.pk}/", {"value-Dog": "Max", "value-Snake": "Kaa"}, headers=HTMX
    )
    contact.refresh_from_db()
    assert contact.custom_values == {field.remote_id: {"Dog": "Max", "Snake": "Kaa"}}


def test_a_field_of_another_location_is_not_there(edit, second_location):
    field = CustomField.objects.create(location=second_location, remote_id="cfX", name="X", data_type="TEXT")
    assert edit(f"custom-{field.pk}", "x").status_code == 404


def test_a_date_that_ghl_keeps_as_a_moment_is_shown_as_a_day(contact, custom, as_user, ana):
    first, second = custom("Signed", "DATE"), custom("Sold", "DATE")
    contact.custom_values = {first.remote_id: 1796083200000, second.remote_id: "2026-12-05T00:00:00.000Z"}
    contact.save()
    shown = text(as_user(ana).get(contact.get_absolute_url()))
    assert 'value="2026-12-01"' in shown and 'value="2026-12-05"' in shown
