from django.urls import path

from contacts import contact_urls as contact_page
from contacts.views import companies, invited, listing, new_contact, outbox, switch, task_list, team, today

app_name = "contacts"
urlpatterns = [
    path("", today.today, name="today"),
    path("contacts/", listing.contact_list, name="list"),
    path("contacts/new/", new_contact.new_contact, name="new_contact"),
    path("tasks/", task_list.task_list, name="tasks"),
    path("tasks/<int:pk>/line/", task_list.task_line, name="task_line"),
    path("companies/", companies.companies, name="companies"),
    path("companies/<int:pk>/", companies.company, name="company"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/<int:pk>/progress/", outbox.progress, name="outbox_progress"),
    path("outbox/<int:pk>/retry-all/", outbox.retry_all, name="outbox_retry_all"),
    path("outbox/<int:pk>/ignore-all/", outbox.ignore_all, name="outbox_ignore_all"),
    path("team/", team.team_page, name="team"),
    path("team/<int:pk>/invite/", team.invite, name="invite"),
    path("team/invitations/<int:pk>/resend/", team.invitation_resend, name="invitation_resend"),
    path("team/invitations/<int:pk>/withdraw/", team.invitation_withdraw, name="invitation_withdraw"),
    path("team/members/<int:pk>/role/", team.member_role, name="member_role"),
    path("team/members/<int:pk>/remove/", team.member_remove, name="member_remove"),
    path("team/members/<int:pk>/ghl/<int:location_pk>/", team.member_in_ghl, name="member_in_ghl"),
    path("invitations/", invited.invited, name="invited"),
    path("invitations/<slug:token>/", invited.invitation, name="invitation"),
    path("businesses/new/", invited.new_business, name="new_business"),
    *contact_page.urlpatterns,
    path("switch/", switch.switch_business, name="switch_business"),
]
