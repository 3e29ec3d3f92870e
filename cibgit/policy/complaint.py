"""What another program finds wrong with a CIB, in its own words."""

from dataclasses import dataclass

from .finding import Severity


@dataclass(frozen=True)
class Complaint:
    """One complaint of ``crm_verify``: how bad it is, and the line it printed."""

    severity: Severity
    text: str
