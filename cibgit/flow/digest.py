"""Digest: what Pacemaker computes over a CIB, and whether its signature is right."""

from dataclasses import dataclass

from ..cib import digest
from ..cib.document import Cib
from ..cib.eras import SIGNERS, Era, Signer, signer_of, signers


@dataclass(frozen=True)
class Digests:
    """The digests of one CIB under one dialect.

    ``on_disk`` belongs into ``cib.xml.sig``; ``versioned`` into patchsets;
    ``configuration`` is the on-disk digest of ``<configuration>`` alone, which ``push``
    announces. ``signature`` is what stands in the ``.sig`` beside the file, None without
    one, and ``signed_by`` the dialect under which it matches.
    """

    on_disk: str
    versioned: str
    configuration: str
    dialect: digest.Dialect
    signature: str | None
    signed_by: digest.Dialect | None

    @property
    def matches(self) -> bool:
        """Whether there is no signature, or this release would accept it."""
        return self.signature is None or self.signature.lower() == self.on_disk


def digests(cib: Cib, dialect: digest.Dialect, signature: str | None) -> Digests:
    """Compute the digests of a CIB as a Pacemaker of that dialect does."""
    signed_by = digest.signature(cib.root, signature) if signature is not None else None
    return Digests(
        on_disk=digest.on_disk(cib.root, dialect),
        versioned=digest.versioned(cib.root, dialect),
        configuration=digest.on_disk(cib.configuration, dialect),
        dialect=dialect,
        signature=signature,
        signed_by=signed_by,
    )


@dataclass(frozen=True)
class Verified:
    """Who signed a file: all that would accept its signature, the newest first.

    ``is_accepted`` says whether those that were asked for are among them; ``digest`` is
    what the newest of these would write.
    """

    signature: str | None
    signed_by: list[Signer]
    is_accepted: bool
    digest: str


def verify(
    data: bytes, signature: str | None, version: str | None, era: Era | None
) -> Verified:
    """Verify a file against the content of its ``.sig``.

    Asked for are a release, or all of an era, or all there ever were. A missing
    signature is none.
    """
    if version:
        wanted = [signer_of(version, era)]
    else:
        wanted = [each for each in SIGNERS if era in (None, each.era)]
    found = signers(data, signature) if signature is not None else []
    return Verified(
        signature,
        found,
        any(each in wanted for each in found),
        wanted[0].digest(data),
    )


def era_digest(data: bytes, version: str | None, era: Era) -> str:
    """Return the on-disk digest of a file in an era, as its release (or newest) does."""
    return signer_of(version, era).digest(data)
