from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Upper
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contacts.details import phones
from contacts.listing import search
from contacts.models.business import Business
from contacts.models.change import Change
from contacts.models.company import Company
from contacts.models.editable import Editable
from contacts.models.location import Location, RemoteUser
from contacts.models.mirrored import MirroredQuerySet

UNNAMED = gettext_noop("Unnamed contact")


class Digits(models.Func):
    """The digits of a text."""

    template = "regexp_replace(%(expressions)s, '[^0-9]', '', 'g')"
    output_field = models.TextField()


class ContactQuerySet(MirroredQuerySet):
    def visible_to(self, user):
        """By the business that stands on the row, which the lists' indexes begin with."""
        return self.filter(business__memberships__user=user) if user.is_authenticated else self.none()

    def of_business(self, business):
        return self.filter(business=business)

    def with_email(self, email):
        return self.filter(email__iexact=email) if email else self.none()

    def with_phone(self, e164):
        """Those whose number may be this one; the digits alone do not tell which country a short form is of."""
        forms = phones.digits_of(e164)
        return self.alias(phone_digits=Digits("phone")).filter(phone_digits__in=forms) if forms else self.none()


class Contact(Editable):
    """A person, as one GHL location knows them."""

    KIND = "contact"
    VALUES = (
        "first_name", "last_name", "email", "phone", "company_name", "company_remote_id", "owner_remote_id", "type",
        "source", "address", "city", "state", "postal_code", "country", "website", "time_zone", "date_of_birth",
        "dnd", "dnd_settings", "custom_values", "tags",
    )  # fmt: skip
    BY_PART = ("custom_values",)

    # Kept beside the location so that lists over several businesses need no join to know their tenant.
    # No index of its own: several begin with it, and Postgres would also read this one for half a million rows.
    business = models.ForeignKey(Business, models.CASCADE, related_name="contacts", editable=False, db_index=False)
    first_name = models.CharField(max_length=200, blank=True)
    last_name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    company_name = models.CharField(max_length=300, blank=True)
    company = models.ForeignKey(Company, models.SET_NULL, null=True, blank=True, related_name="contacts")
    owner = models.ForeignKey(RemoteUser, models.SET_NULL, null=True, blank=True, related_name="contacts")
    type = models.CharField(max_length=60, blank=True)
    source = models.CharField(max_length=300, blank=True)
    address = models.CharField(max_length=500, blank=True)
    city = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=40, blank=True)
    country = models.CharField(max_length=60, blank=True)
    website = models.CharField(max_length=500, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    dnd = models.BooleanField(default=False)
    dnd_settings = models.JSONField(default=dict, blank=True)
    custom_values = models.JSONField(default=dict, blank=True)
    tags = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    remote_created_at = models.DateTimeField(null=True, blank=True)
    remote_updated_at = models.DateTimeField(null=True, blank=True)
    last_activity_at = models.DateTimeField(default=timezone.now)
    sort_name = models.CharField(max_length=420, blank=True, editable=False, db_collation="C")
    search_text = models.TextField(blank=True, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["location", "remote_id"], condition=Q(remote_id__isnull=False), name="contact_once"
            ),
        ]
        indexes = [
            models.Index(fields=["business", "sort_name", "id"], condition=Q(deleted_at=None), name="contact_by_name"),
            models.Index(
                fields=["business", "-last_activity_at", "-id"],
                condition=Q(deleted_at=None),
                name="contact_by_activity",
            ),
            models.Index(fields=["location", "remote_updated_at"], name="contact_by_update"),
            # What moved since somebody last asked; and whoever has this value in a custom field.
            models.Index(fields=["location", "updated_at", "id"], name="contact_by_move"),
            GinIndex(fields=["custom_values"], opclasses=["jsonb_path_ops"], name="contact_custom_values"),
            GinIndex(fields=["tags"], name="contact_tags"),
            models.Index(
                F("business"), Coalesce("remote_created_at", "created_at").desc(), F("id").desc(),
                condition=Q(deleted_at=None), name="contact_by_addition",
            ),
            # Whoever has the same e-mail address or phone number, in whatever form they were typed.
            models.Index(F("business"), Upper("email"), condition=Q(deleted_at=None), name="contact_by_email"),
            models.Index(F("business"), Digits("phone"), condition=Q(deleted_at=None), name="contact_by_phone"),
            # Words that are common in one business and rare in another must not cost the other.
            GinIndex(
                fields=["business", "search_text"], opclasses=["int8_ops", "gin_trgm_ops"], name="contact_search"
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.name

    @property
    def name(self):
        """What to call this person: never empty."""
        return self._known_name or _(UNNAMED)

    @property
    def _known_name(self):
        full = f"{self.first_name} {self.last_name}".strip()
        return full or self.company_name or self.email or phones.readable(self.phone)

    @property
    def is_editable(self):
        return self.location.is_editable and self.deleted_at is None

    def get_absolute_url(self):
        return reverse("contacts:contact", args=[self.pk])

    @property
    def url_in_ghl(self):
        """The contact's page over there; "" until GHL has it."""
        if not self.remote_id:
            return ""
        return f"https://app.gohighlevel.com/v2/location/{self.location.remote_id}/contacts/detail/{self.remote_id}"

    def index(self):
        """Bring the columns that lists sort and search by in line with the values."""
        self.business_id = self.location.business_id
        self.sort_name = search.fold(self._known_name or UNNAMED)[:420]  # the same in every language
        self.search_text = search.text_of(self)

    INDEXED = ("business", "sort_name", "search_text")

    def save(self, *args, **options):
        before = self.search_text
        self.index()
        if self.search_text != before:
            search.learn([self])
        if options.get("update_fields") is not None:
            options["update_fields"] = {*options["update_fields"], *self.INDEXED, "updated_at"}
        super().save(*args, **options)

    def add_tags(self, tags, by):
        return self._retag(by, add=tags)

    def remove_tags(self, tags, by):
        return self._retag(by, remove=tags)

    def _retag(self, by, add=(), remove=(), **options):
        """Tags are sent as deltas: GHL's contact update would overwrite tags that someone else just added."""
        add = sorted({clean for tag in add if (clean := tag.strip().lower())} - set(self.tags))
        remove = sorted({tag.strip().lower() for tag in remove} & set(self.tags))
        if not add and not remove:
            return None
        before = list(self.tags)
        self.tags = sorted({*self.tags, *add} - set(remove))
        words = {"add": add, "remove": remove}
        return self._write(by, Change.Verb.TAGS, words, {"tags": before}, fields=["tags"], **options)


class ContactFreshness(models.Model):
    """When one contact's parts were last read from GHL by themselves. Bookkeeping, so apart from the contact.

    `notes_due_at` is when the notes should be looked at again, though nothing has told us of a change.
    """

    contact = models.OneToOneField(Contact, models.CASCADE, primary_key=True, related_name="freshness")
    location = models.ForeignKey(Location, models.CASCADE, related_name="+")
    record_at = models.DateTimeField(null=True, blank=True)
    notes_at = models.DateTimeField(null=True, blank=True)
    tasks_at = models.DateTimeField(null=True, blank=True)
    appointments_at = models.DateTimeField(null=True, blank=True)
    notes_due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["location", "notes_due_at"], name="freshness_notes_due")]

    def __str__(self):
        return f"freshness of contact {self.contact_id}"
