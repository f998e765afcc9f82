from django.urls import path

from integrations.views import agencies, connections, health, installs, status, webhooks

app_name = "integrations"
urlpatterns = [
    path("connections/", connections.connections, name="connections"),
    path("connections/start/", connections.start, name="connect"),
    path("connections/callback/", installs.callback, name="callback"),
    path("connections/install/", installs.install, name="install"),
    path("connections/agencies/<int:pk>/", agencies.agency, name="agency"),
    path("connections/agencies/<int:pk>/forget/", agencies.forget_agency, name="forget_agency"),
    path("connections/token/", connections.with_token, name="with_token"),
    path("connections/<int:pk>/reconnect/", connections.reconnect, name="reconnect"),
    path("connections/<int:pk>/disconnect/", connections.disconnect, name="disconnect"),
    path("connections/<int:pk>/sync/", connections.sync_now, name="sync_now"),
    path("connections/<int:pk>/health/", health.connection_health, name="connection_health"),
    path("connections/<int:pk>/health/again/", health.replay_events, name="replay_events"),
    path("connections/<int:pk>/health/again/<int:event_pk>/", health.replay_event, name="replay_event"),
    path("connections/<int:pk>/health/gone/", health.accept_losses, name="accept_losses"),
    path("health/", health.health, name="health"),
    # With and without the slash: a redirect would lose the event.
    path("webhooks/ghl", webhooks.ghl),
    path("webhooks/ghl/", webhooks.ghl, name="webhook"),
    path("status/", status.status, name="status"),
    path("status/banner/", status.banner, name="banner"),
    path("contacts/<int:pk>/status/", status.contact_status, name="contact_status"),
    path("contacts/<int:pk>/freshness/<slug:panel>/", status.contact_freshness, name="contact_freshness"),
    path("contacts/<int:pk>/refresh/", status.refresh_contact, name="refresh_contact"),
]
