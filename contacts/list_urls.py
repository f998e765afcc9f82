"""The contact list: its views, its columns, what is done to many contacts at once, and the way along it."""

from django.urls import path

from contacts.views import bulk, listing, saved_views, walk

urlpatterns = [
    path("contacts/", listing.contact_list, name="list"),
    path("contacts/filter/", listing.add_condition, name="list_add"),
    path("contacts/columns/", saved_views.choose_columns, name="list_columns"),
    path("contacts/views/add/", saved_views.add, name="view_add"),
    path("contacts/views/first/", saved_views.open_first, name="view_first"),
    path("contacts/views/move/", saved_views.move, name="view_move"),
    path("contacts/views/<int:pk>/save/", saved_views.save, name="view_save"),
    path("contacts/views/<int:pk>/rename/", saved_views.rename, name="view_rename"),
    path("contacts/views/<int:pk>/share/", saved_views.share, name="view_share"),
    path("contacts/views/<int:pk>/delete/", saved_views.delete, name="view_delete"),
    path("contacts/views/<int:pk>/restore/", saved_views.restore, name="view_restore"),
    path("contacts/bulk/form/", bulk.form, name="bulk_form"),
    path("contacts/bulk/preview/", bulk.preview, name="bulk_preview"),
    path("contacts/bulk/start/", bulk.start, name="bulk_start"),
    path("contacts/bulk/<int:pk>/", bulk.action, name="bulk_action"),
    path("contacts/bulk/<int:pk>/stop/", bulk.stop, name="bulk_stop"),
    path("contacts/bulk/<int:pk>/undo/", bulk.undo, name="bulk_undo"),
    path("contacts/bulk/<int:pk>/put-away/", bulk.put_away, name="bulk_put_away"),
    path("contacts/export/", bulk.export_contacts, name="export"),
    path("contacts/<int:pk>/peek/", walk.peek, name="contact_peek"),
    path("contacts/<int:pk>/walk/", walk.walk, name="contact_walk"),
]
