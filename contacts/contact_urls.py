"""The contact page, its parts, and one address for each thing that can be done on it."""

from django.urls import path

from contacts.views import changes, contact, fields, history, notes, tags, tasks

urlpatterns = [
    path("contacts/<int:pk>/", contact.contact, name="contact"),
    path("contacts/<int:pk>/title/", contact.title, name="contact_title"),
    path("contacts/<int:pk>/state/", contact.state, name="contact_state"),
    path("contacts/<int:pk>/owner/", contact.owner, name="contact_owner"),
    path("contacts/<int:pk>/delete/", contact.delete, name="contact_delete"),
    path("contacts/<int:pk>/fields/", fields.fields, name="contact_fields"),
    path("contacts/<int:pk>/fields/<slug:slug>/", fields.edit_field, name="contact_field"),
    path("contacts/<int:pk>/tags/add/", tags.add_tags, name="tags_add"),
    path("contacts/<int:pk>/tags/remove/", tags.remove_tag, name="tag_remove"),
    path("contacts/<int:pk>/history/", history.history, name="contact_history"),
    path("contacts/<int:pk>/pinned/", notes.pinned, name="contact_pinned"),
    path("contacts/<int:pk>/notes/add/", notes.add_note, name="note_add"),
    path("notes/<int:pk>/edit/", notes.edit_note, name="note_edit"),
    path("notes/<int:pk>/pin/", notes.pin_note, name="note_pin"),
    path("notes/<int:pk>/delete/", notes.delete_note, name="note_delete"),
    path("contacts/<int:pk>/tasks/", tasks.tasks, name="contact_tasks"),
    path("contacts/<int:pk>/appointments/", tasks.appointments, name="contact_appointments"),
    path("contacts/<int:pk>/tasks/add/", tasks.add_task, name="task_add"),
    path("tasks/<int:pk>/complete/", tasks.complete_task, name="task_complete"),
    path("tasks/<int:pk>/move/", tasks.move_task, name="task_move"),
    path("tasks/<int:pk>/edit/", tasks.edit_task, name="task_edit"),
    path("tasks/<int:pk>/delete/", tasks.delete_task, name="task_delete"),
    path("changes/<int:pk>/", changes.change, name="change"),
    path("changes/<int:pk>/retry/", changes.retry, name="change_retry"),
    path("changes/<int:pk>/keep-mine/", changes.keep_mine, name="change_keep_mine"),
    path("changes/<int:pk>/keep-original/", changes.keep_original, name="change_keep_original"),
    path("changes/<int:pk>/make-anew/", changes.make_anew, name="change_make_anew"),
    path("changes/<int:pk>/keep-theirs/", changes.keep_theirs, name="change_keep_theirs"),
    path("changes/<int:pk>/undo/", changes.undo, name="change_undo"),
]
