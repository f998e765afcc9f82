"""Data nobody would wish for: names of ninety letters, sixty tags, four thousand words, two scripts, one emoji."""

from datetime import timedelta

from django.utils import timezone

from contacts.models import (
    Appointment,
    Business,
    Change,
    Contact,
    ContactView,
    CustomField,
    HistoryEvent,
    Location,
    Membership,
    Note,
    RemoteUser,
    Role,
    Tag,
    Task,
)

NINETY = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh-Cholmondeley-Marjoribanks-Urquhart"
HEBREW = "שלום עולם: להתקשר מחר (312) 555-0148 בבקשה"
ARABIC = "محمد بن عبد الله الفارسي"
SPACELESS = "https://example.com/" + "a" * 300
WORDS = "Walked buildings A and B with Marisol, who wants copper flashing priced as an option. " * 280


def make_ugly(user, location, contact, company):
    """Everything about this contact becomes as long and as odd as it may be; `user` owns it all."""
    now = timezone.now()
    user.name = NINETY
    user.save()
    business = location.business
    business.name = f"{business.name} & {NINETY}"
    business.save()
    second = Business.objects.create(name="B")  # so that lists say which business a line belongs to
    Membership.objects.create(user=user, business=second, role=Role.ADMIN)
    Location.objects.create(business=second, remote_id="locUgly", name="B", time_zone="Asia/Kolkata")
    location.name, location.time_zone = NINETY, "America/Argentina/ComodRivadavia"
    location.tasks_checked_at = now - timedelta(days=3)
    location.save()
    me = RemoteUser.objects.create(location=location, remote_id="usrUgly", name=NINETY, email=user.email, user=user)
    tags = [f"{n} tag {'x' * (n % 40)}" for n in range(60)]
    Tag.objects.bulk_create(Tag(location=location, name=tag) for tag in tags)
    CustomField.objects.create(location=location, remote_id="fldUglyOne", name=NINETY, data_type="LARGE_TEXT")
    CustomField.objects.create(location=location, remote_id="fldUglyTwo", name="Budget", data_type="MONETORY")
    company.name = SPACELESS[:200]
    company.save()
    values = {
        "first_name": NINETY, "last_name": ARABIC, "owner": me, "company": company, "company_name": SPACELESS[:280],
        "email": f"{'m' * 60}@{'n' * 60}.example.com", "tags": tags, "city": HEBREW,
        "custom_values": {"fldUglyOne": WORDS[:2000], "fldUglyTwo": 123456789012.34},
    }  # fmt: skip
    for name, value in values.items():
        setattr(contact, name, value)
    contact.save()
    other = Contact.objects.create(location=location, remote_id="conRtl", first_name=ARABIC, tags=[HEBREW], owner=me)
    Contact.objects.create(location=location, remote_id="conEmoji", first_name="🦊", last_name="🏳️‍🌈👩‍👩‍👧‍👦")
    of = {"location": location, "contact": contact}
    titles = ("🦊🔥💩", NINETY, HEBREW, SPACELESS, "Call")
    tasks = [
        Task.objects.create(**of, remote_id=f"tskUgly{n}", title=title, due_at=now + timedelta(days=n - 2), assignee=me)
        for n, title in enumerate(titles)
    ]
    Task.objects.create(location=location, contact=other, title=HEBREW, assignee=me)
    notes = [
        Note.objects.create(**of, remote_id=f"notUgly{n}", body=body, pinned=n < 3, author=me, remote_added_at=now)
        for n, body in enumerate(
            (WORDS, SPACELESS, HEBREW, "<table><tr>" + "<td>wide cell</td>" * 40 + "</tr></table>")
        )
    ]
    for n, title in enumerate((NINETY, HEBREW, SPACELESS)):
        starts = now + timedelta(minutes=30 * n + 10)
        Appointment.objects.create(
            **of, remote_id=f"aptUgly{n}", title=title, address=SPACELESS, assignee=me, starts_at=starts,
            ends_at=starts + timedelta(minutes=20), status="confirmed",
        )  # fmt: skip
    for note in notes:
        HistoryEvent.objects.create(
            **of, kind="note_added", note=note, actor_kind="person", actor_name=NINETY, happened_at=now
        )
    HistoryEvent.objects.create(
        **of, kind="contact_changed", actor_kind="person", actor_name=ARABIC, happened_at=now,
        changes={"city": [SPACELESS, HEBREW], "first_name": ["", NINETY], "email": ["", SPACELESS]},
    )  # fmt: skip
    HistoryEvent.objects.create(
        **of, kind="task_done", task=tasks[2], actor_kind="person", actor_name=NINETY, happened_at=now
    )
    Change.objects.create(
        business=business, **of, kind="contact", verb="update", values={"city": SPACELESS}, before={"city": NINETY},
        theirs={"city": HEBREW}, made_by=user, state="refused", settled_at=now, sentence=f"GHL says: {SPACELESS}",
        technical=SPACELESS,
    )  # fmt: skip
    ContactView.look(user, contact)
