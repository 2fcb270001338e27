"""Messages between a live comparison and its sessions, each one JSON text in a pipe.

The comparison (``live/members.py``) sends requests. Each session, a pytest process that measures one side
(``plugin/turns.py``), sends replies. The head's plugin runs on the base's package too, so this module imports nothing
from the rest of the package.
"""

from typing import Literal

import msgspec

PARENT = "AUTOENC_BENCH_PARENT"  # environment variable: the process id with whose end a session ends


class Visit(msgspec.Struct, frozen=True, tag=True):
    """Request: run a case. The session replies ``Ended``."""

    case: str  # node id
    rounds: int = 0  # after one warm-up; 0: as many as the case has outside a comparison
    is_interleaved: bool = False  # before each round, reply ``Waiting`` and wait for ``Begin``
    instrumentation: Literal["", "counts", "profile"] = ""  # a pass outside the clock, after the rounds


class Begin(msgspec.Struct, frozen=True, tag=True):
    """Request: begin the next round."""


class Save(msgspec.Struct, frozen=True, tag=True):
    """Request: end the run and save the record. The session replies ``Saved``; later visits are in no record."""


class Configured(msgspec.Struct, frozen=True, tag=True):
    """Reply: the session has read its options and its usable cores, so it may be pinned from now on."""


class Item(msgspec.Struct, frozen=True):
    """A case that a session can run, by the name of its test and its phase."""

    name: str
    phase: str


class Collected(msgspec.Struct, frozen=True, tag=True):
    """Reply: the session is ready for visits."""

    cases: dict[str, Item]  # by node id
    cores: list[int] | None  # to which the suite pins this process


class Waiting(msgspec.Struct, frozen=True, tag=True):
    """Reply: the session waits for ``Begin``."""

    between: float = 0.0  # CPU seconds that the process used since its previous round


class Ended(msgspec.Struct, frozen=True, tag=True):
    """Reply: the visited case has ended."""

    outcome: Literal["passed", "failed", "skipped"]
    reason: str = ""
    times: list[float] = []  # seconds of each round


class Saved(msgspec.Struct, frozen=True, tag=True):
    """Reply: the record is saved; or there is none, because nothing was timed."""


Request = Visit | Begin | Save
Reply = Configured | Collected | Waiting | Ended | Saved
encode = msgspec.json.Encoder().encode
decode_request = msgspec.json.Decoder(Request).decode
decode_reply = msgspec.json.Decoder(Reply).decode
