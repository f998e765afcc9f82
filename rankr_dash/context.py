"""What every template may use."""


def csp_nonce(request):
    """django-htmx looks for the nonce under this name."""
    return {"csp_nonce": getattr(request, "csp_nonce", "")}
