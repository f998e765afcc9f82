"""The command palette: people, views, pages and acts by a few letters. What it runs is an address, or a control that
is on the page already, so it can do nothing that the pages themselves do not allow."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from contacts import access
from contacts.frame import places
from contacts.frame.context import Frame
from contacts.listing import list_views
from contacts.listing.filters import MAX_TEXT
from contacts.listing.search import fold, matching
from contacts.models import Contact, ContactView
from contacts.paging import BestFirst, page_of
from contacts.rows import among, contacts_of, for_rows, spans_businesses

FOUND = 7
RECENT = 5
OF_A_KIND = 6  # of each kind but people, once something is typed


@dataclass(frozen=True)
class Option:
    words: str
    icon: str = ""
    href: str = ""
    clicks: str = ""  # a control of the page, by selector
    focuses: str = ""
    detail: str = ""
    keys: str = ""
    keywords: str = ""
    is_person: bool = False

    def matches(self, words):
        text = fold(f"{self.words} {self.detail} {self.keywords}")
        return all(word in text for word in words)


@require_safe
@login_required
def palette(request):
    q = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:MAX_TEXT]
    words = fold(q).split()
    kinds = [
        (_("Pages"), pages(request)),
        (_("Views of contacts"), views(request)),
        (_("Actions"), [*acts_on_contact(request), *acts(request)]),
    ]
    if words:
        sections = [(_("Contacts"), found(request, q))]
        sections += [(name, [one for one in options if one.matches(words)][:OF_A_KIND]) for name, options in kinds]
    else:
        here = acts_on_contact(request)
        sections = [(_("This contact"), here), (_("Recent contacts"), recent(request)), *kinds[:2]]
        sections.append((_("Actions"), acts(request)))
    sections = [(name, options) for name, options in sections if options]
    count = sum(len(options) for _, options in sections)
    said = ngettext("%(count)s result", "%(count)s results", count) % {"count": count} if count else _("No results")
    return render(request, "ui/_palette_results.html", {"sections": sections, "q": q, "said": said})


# --- people -----------------------------------------------------------------------------------------------------------


def found(request, q):
    now = timezone.now()
    order = BestFirst.of("sort_name", fold(q), "")
    page = page_of(matching(contacts_of(request).present(), q), order, "", FOUND, now, for_rows, among(request))
    options = people(request, page.rows)
    if page.after:
        address = f"{reverse('contacts:list')}?{urlencode({'q': q})}"
        options.append(Option(_("All contacts that match “%(q)s”") % {"q": q}, "users", address))
    return options


def recent(request):
    seen = ContactView.objects.visible_to(request.user).filter(contact__in=contacts_of(request).present())
    pks = list(seen.exclude(contact=here(request)).order_by("-looked_at").values_list("contact", flat=True)[:RECENT])
    rows = {contact.pk: contact for contact in for_rows(contacts_of(request).filter(pk__in=pks))}
    return people(request, [rows[pk] for pk in pks])


def people(request, contacts):
    several = spans_businesses(request)
    return [
        Option(contact.name, href=contact.get_absolute_url(), detail=detail_of(contact, several), is_person=True)
        for contact in contacts
    ]


def detail_of(contact, several):
    company = contact.company_name or (contact.company.name if contact.company else "")
    known = company if company and company != contact.name else contact.email
    return " · ".join(part for part in (known, contact.business.name if several else "") if part)


# --- pages, views and acts --------------------------------------------------------------------------------------------


def pages(request):
    reachable = places.places_for(Frame(request).role)
    return [
        Option(
            str(place.name), place.icon, place.url, keys=f"g {place.key}" if place.key else "",
            keywords=str(place.keywords),
        )
        for place in reachable
    ]  # fmt: skip


def views(request):
    address = reverse("contacts:list")
    return [
        Option(view.name, "list-filter", f"{address}?{view.query}") for view in list_views.views_of(request).values()
    ]


def here(request):
    """The number of the contact whose page is open, or None."""
    asked = request.GET.get("contact", "")
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None


def acts_on_contact(request):
    contact = Contact.objects.visible_to(request.user).filter(pk=here(request)).select_related("location").first()
    if contact is None or not contact.is_editable:
        return []
    name = contact.name
    return [
        Option(_("New note"), "file-pen", clicks="#compose-note", focuses="#note-body", detail=name, keys="n"),
        Option(_("New task"), "square-plus", clicks="#compose-task", focuses="#task-title", detail=name),
        Option(_("New call log"), "phone", clicks="#compose-call", focuses="#call-body", detail=name),
    ]


def acts(request):
    found = [Option(_("New contact"), "user-plus", reverse("contacts:new_contact"), keywords=_("add person"))]
    found += switches(request)
    theme = _("theme light dark colours")
    found += [
        Option(_("Dark theme"), "moon", clicks='[data-theme-set="dark"]', keywords=theme),
        Option(_("Light theme"), "sun", clicks='[data-theme-set="light"]', keywords=theme),
        Option(_("Theme as the system"), "monitor", clicks='[data-theme-set=""]', keywords=theme),
        Option(_("Keyboard shortcuts"), "keyboard", clicks='[data-opens="shortcuts"]', keys="?", keywords=_("keys")),
        Option(_("Sign out"), "log-out", clicks="[data-sign-out]", keywords=_("log out leave")),
    ]
    return found


def switches(request):
    businesses, chosen = access.businesses_of(request), access.current_business(request)
    if len(businesses) < 2:
        return []
    named = [(business.pk, business.name) for business in businesses if business != chosen]
    if chosen:
        named.insert(0, ("", _("all businesses")))
    return [
        Option(
            _("Look at %(business)s") % {"business": name}, "arrow-left-right",
            clicks=f'[name="business"][value="{pk}"]', keywords=_("switch business"),
        )
        for pk, name in named
    ]  # fmt: skip
