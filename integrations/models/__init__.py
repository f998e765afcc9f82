from integrations.models.connection import Agency, ConnectAttempt, Connection, Usage
from integrations.models.delivery import Delivery
from integrations.models.inbound import InboundEvent, QuarantinedEvent
from integrations.models.incident import Incident
from integrations.models.sync_run import SyncPage, SyncRun
from integrations.models.trouble import Trouble

__all__ = [
    "Agency",
    "ConnectAttempt",
    "Connection",
    "Delivery",
    "InboundEvent",
    "Incident",
    "QuarantinedEvent",
    "SyncPage",
    "SyncRun",
    "Trouble",
    "Usage",
]
