from integrations.models.connection import ConnectAttempt, Connection, Usage
from integrations.models.delivery import Delivery
from integrations.models.inbound import InboundEvent
from integrations.models.sync_run import SyncRun

__all__ = ["ConnectAttempt", "Connection", "Delivery", "InboundEvent", "SyncRun", "Usage"]
