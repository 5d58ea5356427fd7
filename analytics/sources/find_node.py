"""Who asks which archive by C-FIND, how long it waits, and why an association was not made, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from pynetdicom.association import Association

from analytics.core.errors import PacsmeterError

_TRANSIENT, _PRESENTATION = 2, 3
_NO_REASON = ("it gives no reason", "Have its list of known nodes hold {calling}, with the address of this computer.")
_PERMANENT: dict[tuple[int | None, int | None], tuple[str, str]] = {
    (1, 2): ("it does not know the application context", "Ask its vendor whether it speaks DICOM at this port."),
    (1, 3): ("calling AE title not recognized",
             "Have its list of known nodes hold {calling}, with the address of this computer."),
    (1, 7): ("called AE title not recognized",
             "Correct the AE title at the end of the URL: the archive does not answer to {called}."),
    (2, 2): ("it does not know this version of the protocol", "Ask its vendor whether it speaks DICOM at this port."),
}
"""Source and reason of a rejection (PS3.8 2024e 9.3.4), as what happened and what to do."""


@dataclass(frozen=True)
class Node:
    """Who asks whom: the AE titles of both, and where the archive listens."""

    calling: str
    called: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.calling} to {self.called} at {self.host}:{self.port}"


@dataclass(frozen=True)
class Timeouts:
    """Seconds to wait.

    Attributes
    ----------
    connection : for the host to take the connection.
    association : for the archive to answer the association request.
    answer : from one response of an answer to the next.
    network : for the rest of a message that has begun, and how long an association may rest.
    """

    connection: float = 15
    association: float = 30
    answer: float = 180
    network: float = 60


@dataclass(frozen=True)
class NotMade:
    """Why there is no association, and whether that may pass in a moment."""

    error: PacsmeterError
    transient: bool = False


def unknown_host(node: Node) -> NotMade:
    """Say that no address belongs to the host's name."""
    return NotMade(PacsmeterError(f"The host {node.host} is not known", "Correct it in the URL, or use its address.",
                                  str(node)))


def why_not_made(node: Node, association: Association, *, connected: bool) -> NotMade:
    """Say why an association was not made.

    Parameters
    ----------
    node : Node
    association : Association
        That was asked for.
    connected : bool
        Whether there was a connection at all.
    """
    answer = association.acceptor.primitive
    if not connected:
        return _not_made(node, f"Nothing answers at {node.host}:{node.port}",
                         "Check host and port, the firewall, and that the archive's DICOM service runs.")
    if answer is None:
        return _not_made(node, "What listens there gives no answer to an association request, or breaks it off",
                         "Check that this is the archive's DICOM port, and that it knows {calling} at the address of "
                         "this computer.")
    if answer.result == 0:
        return _not_made(node, "The archive takes no queries at study root (no acceptable presentation context)",
                         "Have it allow Study Root Query/Retrieve - FIND to {calling}.")
    if answer.result == _TRANSIENT or answer.result_source == _PRESENTATION:
        return NotMade(_not_made(node, "The archive is too busy for another association", "Load again later, or have "
                                 "it take more associations at once.").error, transient=True)
    why, remedy = _PERMANENT.get((answer.result_source, answer.diagnostic), _NO_REASON)
    return _not_made(node, f"The archive rejects the association: {why}", remedy)


def _not_made(node: Node, what: str, remedy: str) -> NotMade:
    return NotMade(PacsmeterError(what, remedy.format(calling=node.calling, called=node.called), str(node)))
