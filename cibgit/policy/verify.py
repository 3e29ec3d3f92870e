"""The rule about complaints of ``crm_verify``: only new ones count."""

from collections.abc import Iterator

from .context import Context
from .finding import Finding, Severity


def verify(context: Context) -> Iterator[Finding]:
    """Refuse what ``crm_verify`` newly calls an error; its new warnings are told."""
    if not context.policy.verify:
        return
    for complaint in context.complaints:
        is_error = complaint.severity is Severity.ERROR
        yield Finding(
            complaint.severity,
            "verify",
            "",
            f"crm_verify: {complaint.text}",
            "To do it all the same: --force verify" if is_error else "",
        )
