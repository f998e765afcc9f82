from integrations.models.api_key import ApiKey, Scope
from integrations.models.connection import Agency, ConnectAttempt, Connection, Usage
from integrations.models.delivery import Delivery
from integrations.models.erp_event import ErpEvent, Matching, Stranger
from integrations.models.feed import Feed
from integrations.models.field_mapping import FieldMapping
from integrations.models.inbound import InboundEvent, QuarantinedEvent
from integrations.models.incident import Incident
from integrations.models.not_ready import NotReady
from integrations.models.operation_run import OperationRun
from integrations.models.outgoing import OutgoingDelivery, OutgoingHook
from integrations.models.rule import Automations, Rule, RuleVersion
from integrations.models.rule_run import RuleRun
from integrations.models.sync_run import SyncPage, SyncRun
from integrations.models.trouble import Trouble

__all__ = [
    "Agency",
    "ApiKey",
    "Automations",
    "ConnectAttempt",
    "Connection",
    "Delivery",
    "ErpEvent",
    "Feed",
    "FieldMapping",
    "InboundEvent",
    "Incident",
    "Matching",
    "NotReady",
    "OperationRun",
    "OutgoingDelivery",
    "OutgoingHook",
    "QuarantinedEvent",
    "Rule",
    "RuleRun",
    "RuleVersion",
    "Scope",
    "Stranger",
    "SyncPage",
    "SyncRun",
    "Trouble",
    "Usage",
]
