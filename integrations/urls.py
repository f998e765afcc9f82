from django.urls import path

from integrations.views import connections, status, webhooks

app_name = "integrations"
urlpatterns = [
    path("connections/", connections.connections, name="connections"),
    path("connections/start/", connections.start, name="connect"),
    path("connections/callback/", connections.callback, name="callback"),
    path("connections/token/", connections.with_token, name="with_token"),
    path("connections/<int:pk>/reconnect/", connections.reconnect, name="reconnect"),
    path("connections/<int:pk>/disconnect/", connections.disconnect, name="disconnect"),
    path("connections/<int:pk>/sync/", connections.sync_now, name="sync_now"),
    # With and without the slash: a redirect would lose the event.
    path("webhooks/ghl", webhooks.ghl),
    path("webhooks/ghl/", webhooks.ghl, name="webhook"),
    path("status/", status.status, name="status"),
    path("status/banner/", status.banner, name="banner"),
    path("contacts/<int:pk>/freshness/<slug:panel>/", status.contact_freshness, name="contact_freshness"),
    path("contacts/<int:pk>/refresh/", status.refresh_contact, name="refresh_contact"),
]
