from django.contrib import admin
from django.urls import include, path

from rankr_dash.health import healthz
from rankr_dash.stylesheet import one_stylesheet

handler500 = "rankr_dash.failures.server_error"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("static/css/all.css", one_stylesheet, name="stylesheet"),  # beside what its addresses are relative to
    path("account/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("", include("integrations.urls")),
    path("", include("contacts.urls")),
]
