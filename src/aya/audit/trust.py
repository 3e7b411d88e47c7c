"""Which keys may have signed which seals: from one key that is trusted, along the statements by which keys follow one another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aya.audit.note import VerifierKey, opened
from aya.audit.seal import KnownKey, key_statement
from aya.errors import AuditError


@dataclass(frozen=True, slots=True)
class Link:
    """A key, from which seal on it signs, and whether the key before it vouched for it."""

    key: VerifierKey
    first_seal: int
    vouched: bool


@dataclass(frozen=True, slots=True)
class Trust:
    """The keys of a log in their order, what is wrong with them, and what is to be known of them."""

    links: tuple[Link, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]

    def key_of(self, seal_number: int) -> VerifierKey | None:
        """The key that must have signed a seal; None: there was none yet."""
        found = [link.key for link in self.links if link.first_seal <= seal_number]
        return found[-1] if found else None

    @property
    def keys(self) -> list[VerifierKey]:
        """All of them."""
        return [link.key for link in self.links]


def trust(known: Sequence[KnownKey], trusted: Iterable[VerifierKey]) -> Trust:
    """Judge the keys of a log, given the keys that are trusted beforehand (one that signs now is enough)."""
    links: list[Link] = []
    problems: list[str] = []
    left = list(known)
    while left:
        previous = links[-1].key if links else None
        following = next((one for one in left if _follows(one, previous)), None)
        if following is None:
            problems += [f"key {one.verifier_key[:80]}: no statement says after which key it signs" for one in left]
            break
        left.remove(following)
        try:
            key = VerifierKey.read(following.verifier_key)
            _, signers = opened(following.note, [key, *([previous] if previous else [])])
            if key not in signers:
                raise AuditError("it did not sign its own statement")
        except AuditError as error:
            problems.append(f"key {following.verifier_key[:80]}: {error.message}")
            break
        links.append(Link(key, following.first_seal, previous is None or previous in signers))
    return Trust(tuple(links), (*problems, *_not_trusted(links, list(trusted))), tuple(_remarks(links)))


def _follows(one: KnownKey, previous: VerifierKey | None) -> bool:
    try:
        statement = key_statement(VerifierKey.read(one.verifier_key), one.first_seal, previous)
    except AuditError:
        return False
    return one.note.startswith(f"{statement}\n")


def _not_trusted(links: Sequence[Link], trusted: Sequence[VerifierKey]) -> list[str]:
    """From the newest key that is trusted, each one must be vouched for by the one before; before it, it speaks for them."""
    places = [place for place, link in enumerate(links) if link.key in trusted]
    if not links:
        return []
    if not places:
        return ["none of the keys that signed is one that is trusted: the log, or the key, was replaced"]
    return [
        f"from seal {link.first_seal} on another key signs, which the trusted one did not vouch for"
        for link in links[places[-1] + 1 :]
        if not link.vouched
    ]


def _remarks(links: Sequence[Link]) -> list[str]:
    return [
        f"the key before seal {link.first_seal} was lost: what it sealed is only as good as the word of the key after it"
        for link in links
        if not link.vouched
    ]
