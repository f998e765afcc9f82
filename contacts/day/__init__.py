"""What is due when: agenda, calendar, reminders, the work-through queue."""
