"""The team page: who works in a business, in which role, as whom in GHL, and who is invited."""

from dataclasses import dataclass, field

from contacts.forms.people import InviteForm
from contacts.models import Business, Invitation, Location, Membership, RemoteUser, Role, User
from contacts.people import invitations


@dataclass
class InGhl:
    """Who a member is in one location."""

    location: Location
    member: User
    remote_users: list[RemoteUser]

    @property
    def chosen(self):
        return next((one for one in self.remote_users if one.user_id == self.member.pk), None)

    @property
    def choices(self):
        """GHL users nobody else is, and the member's own even when GHL has switched it off."""
        return [one for one in self.remote_users if one == self.chosen or (one.is_active and one.user_id is None)]

    @property
    def suggested(self):
        """The free GHL user with the member's e-mail address."""
        if self.chosen:
            return None
        email = self.member.email.casefold()
        return next((one for one in self.choices if one.email.casefold() == email), None)


@dataclass
class Member:
    membership: Membership
    is_you: bool
    is_last_admin: bool
    in_ghl: list[InGhl]
    problem: str = ""


@dataclass
class Invited:
    invitation: Invitation
    link: str


@dataclass
class Team:
    business: Business
    members: list[Member]
    invited: list[Invited]
    form: InviteForm
    roles: list = field(default_factory=lambda: Role.choices)

    @property
    def has_locations(self):
        return any(member.in_ghl for member in self.members)


def of(business, viewer, form=None, problem_of=None, problem=""):
    """The team of a business as an admin sees it; a problem is shown beside the member it is about."""
    memberships = list(business.memberships.select_related("user").order_by("created_at", "pk"))
    admins = sum(one.role == Role.ADMIN for one in memberships)
    locations = list(business.locations.prefetch_related("remote_users"))
    members = [
        Member(
            membership=one,
            is_you=one.user == viewer,
            is_last_admin=one.role == Role.ADMIN and admins == 1,
            in_ghl=[InGhl(location, one.user, list(location.remote_users.all())) for location in locations],
            problem=problem if one == problem_of else "",
        )
        for one in memberships
    ]
    invited = [
        Invited(one, invitations.link_of(one))
        for one in business.invitations.waiting().select_related("invited_by").order_by("-created_at", "-pk")
    ]
    return Team(business, members, invited, form or InviteForm(business=business))
