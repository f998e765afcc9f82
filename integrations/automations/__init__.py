"""Rules that admins set up: when something happens, if that and that is so, do this. What there is, shape.py says."""
