"""What GHL can be asked to do and what it tells, as data: made by `manage.py catalogue --generate`, never by hand."""
