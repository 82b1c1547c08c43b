"""The append-only audit trail: `append` one event in the transaction of what it records."""

from core.ledger.chain import append, head, hold_still

__all__ = ["append", "head", "hold_still"]
