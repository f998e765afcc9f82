"""Django's admin, for whoever runs the server. Pages for customers' own admins are elsewhere."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangosUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.forms import UserChangeForm as DjangosUserChangeForm

from contacts.models import Business, Invitation, Location, Membership, RemoteUser, User

# One door: its rate limits count here too.
admin.site.login = secure_admin_login(admin.site.login)
admin.site.site_header = admin.site.site_title = "Rankr"


class UserCreationForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


class UserChangeForm(DjangosUserChangeForm):
    class Meta:
        model = User
        fields = "__all__"
        field_classes = {}


class OfUser(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["business"]


class OfBusiness(admin.TabularInline):
    model = Membership
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(User)
class UserAdmin(DjangosUserAdmin):
    form, add_form = UserChangeForm, UserCreationForm
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        ("May", {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("When", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "usable_password", "password1", "password2"]})]
    readonly_fields = ["last_login", "date_joined"]
    list_display = ["email", "name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    inlines = [OfUser]


@admin.register(Business)
class BusinessAdmin(admin.ModelAdmin):
    list_display = ["name", "created_at"]
    search_fields = ["name"]
    inlines = [OfBusiness]


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):
    list_display = ["user", "business", "role", "created_at"]
    list_filter = ["role"]
    list_select_related = ["user", "business"]
    search_fields = ["user__email", "user__name", "business__name"]
    autocomplete_fields = ["user", "business"]


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look at. What is shown here is made by people on the pages, or comes from GHL."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Never with its token: whoever holds that can come in. It may be deleted, which withdraws it."""

    fields = ["business", "email", "role", "invited_by", "created_at", "expires_at", "accepted_at"]
    list_display = ["email", "business", "role", "created_at", "expires_at", "accepted_at"]
    list_select_related = ["business"]
    search_fields = ["email", "business__name"]

    def has_delete_permission(self, request, obj=None):
        return admin.ModelAdmin.has_delete_permission(self, request, obj)


@admin.register(Location)
class LocationAdmin(ReadOnlyAdmin):
    list_display = ["name", "business", "remote_id", "time_zone", "is_editable", "contacts_checked_at"]
    list_select_related = ["business"]
    search_fields = ["name", "remote_id", "business__name"]


@admin.register(RemoteUser)
class RemoteUserAdmin(ReadOnlyAdmin):
    list_display = ["name", "email", "location", "user", "is_active"]
    list_select_related = ["location", "user"]
    search_fields = ["name", "email", "remote_id"]
