"""Tags in place: added and removed as deltas."""

import pytest

HTMX = {"HX-Request": "true"}


@pytest.fixture
def post(as_user, ana, contact):
    client = as_user(ana)
    return lambda act, tag, headers=HTMX: client.post(
        f"/contacts/{contact.pk}/tags/{act}/", {"tag": tag}, headers=headers
    )


def test_a_tag_is_added(post, contact):
    response = post("add", "Hot Lead")
    contact.refresh_from_db()
    assert contact.tags == ["hot lead", "insurance"]
    assert contact.changes.get().values == {"add": ["hot lead"], "remove": []}
    assert "hot lead" in response.content.decode() and "Queued" in response.content.decode()


def test_several_at_once(post, contact):
    post("add", "vip, ,lead,vip")
    contact.refresh_from_db()
    assert contact.tags == ["insurance", "lead", "vip"]


def test_a_tag_is_removed(post, contact):
    post("remove", "insurance")
    contact.refresh_from_db()
    assert contact.tags == []


def test_a_tag_that_is_there_or_gone_already_changes_nothing(post, contact):
    assert post("add", "Insurance").status_code == 200
    assert post("remove", "unknown").status_code == 200
    assert not contact.changes.exists()


@pytest.mark.parametrize("tag, sentence", [("  ", "Write the tag first"), ("x" * 201, "200 letters at most")])
def test_what_is_no_tag_gets_a_sentence(post, contact, tag, sentence):
    response = post("add", tag)
    assert response.status_code == 422 and sentence in response.content.decode()
    assert not contact.changes.exists()


def test_without_scripts_it_works_too(post, contact):
    assert post("add", "vip", headers={})["Location"] == contact.get_absolute_url()
    assert post("add", "", headers={}).status_code == 422


def test_sixty_tags_show_three_and_a_number(as_user, ana, contact):
    contact.tags = [f"tag-{number:02}" for number in range(60)]
    contact.save()
    assert "+57" in as_user(ana).get(contact.get_absolute_url()).content.decode()
