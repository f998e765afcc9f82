"""A version becomes active only after a dry run of just these lines; an earlier one comes back by one click."""

import pytest
from django.db import IntegrityError

from integrations.models import FieldMapping
from integrations.models.field_mapping import ChangedMeanwhile
from integrations.models.not_ready import NotReady

pytestmark = pytest.mark.django_db

EMAIL, CITY = {"erp": "email", "contact": "email"}, {"erp": "fields.city", "contact": "city"}


@pytest.fixture
def draft(northgate, ada):
    return FieldMapping.begin(northgate, [EMAIL], ada)


def test_a_draft_that_was_not_tried_out_cannot_be_activated(draft, ada):
    with pytest.raises(NotReady, match="Try this version out first"):
        draft.activate(ada)
    assert FieldMapping.active_of(draft.business_id) is None


def test_nor_can_one_that_was_changed_since(draft, ada):
    draft.tried(ada, draft.mark)
    draft.refresh_from_db()
    draft.rewrite([EMAIL, CITY], seen=draft.mark)
    with pytest.raises(NotReady, match="Try this version out first"):
        draft.activate(ada)
    FieldMapping.objects.filter(pk=draft.pk).update(state="previewed", lines=[CITY])
    with pytest.raises(NotReady, match="changed after the dry run"):
        draft.activate(ada)


def test_a_dry_run_of_other_lines_does_not_count(draft, ada):
    assert draft.tried(ada, "another mark") is False
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_the_database_says_so_too(draft):
    with pytest.raises(IntegrityError):
        FieldMapping.objects.filter(pk=draft.pk).update(state="active")


def test_one_is_active_and_an_earlier_one_comes_back(draft, ada, northgate):
    draft.tried(ada, draft.mark)
    draft.activate(ada)
    second = FieldMapping.begin(northgate, [CITY], ada, made_from=draft)
    second.tried(ada, second.mark)
    second.activate(ada)
    draft.refresh_from_db()
    assert (draft.state, second.number, FieldMapping.active_of(northgate)) == ("retired", 2, second)
    draft.activate(ada)
    assert FieldMapping.active_of(northgate) == draft
    second.refresh_from_db()
    assert (second.state, second.may_come_back) == ("retired", True)


def test_what_was_put_away_untried_does_not_come_back(draft, ada, northgate):
    FieldMapping.begin(northgate, [CITY], ada)
    draft.refresh_from_db()
    assert (draft.state, draft.may_come_back) == ("retired", False)
    with pytest.raises(NotReady, match="never tried out"):
        draft.activate(ada)


def test_two_who_change_the_same_draft_do_not_overwrite_one_another(draft):
    seen = draft.mark
    draft.rewrite([EMAIL, CITY], seen)
    with pytest.raises(ChangedMeanwhile):
        draft.rewrite([CITY], seen)


def test_the_last_change_is_taken_back_once(draft):
    draft.rewrite([], draft.mark)
    assert draft.undo() is True
    draft.refresh_from_db()
    assert draft.lines == [EMAIL]
    assert draft.undo() is False
