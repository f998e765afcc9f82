from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = "Integrations"

    def ready(self):
        from integrations import crypto, receivers  # noqa: F401  (the receivers connect the signals)
        from integrations.news import events

        # A key that cannot be used stops the start, not the first connection or the first webhook.
        crypto.key_ring()
        events.known_keys()
