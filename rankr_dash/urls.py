from django.contrib import admin
from django.urls import include, path

from rankr_dash.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("account/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
    path("", include("integrations.urls")),
    path("", include("contacts.urls")),
]
