"""``pacsmeter listen``: receiving HL7 messages into a folder that is loaded later."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analytics.terminal import out


def listen_command(
    folder: Annotated[Path, typer.Argument(help="Where the messages are written, a file a day.")],
    host: Annotated[str, typer.Option(help="Address to listen on; this machine alone by default.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port.")] = 2575,
) -> None:
    """Receive HL7 v2 messages (MLLP) into a folder, each on disk before it is acknowledged; Ctrl-C ends it.

    The folder holds patients' names and ids as they came: it is made for its owner alone. Delete what was loaded when
    your site's rules ask for it; what it told stays in the warehouse, without names.

    Example: pacsmeter listen /data/hl7 --port 2575, and then: pacsmeter load hl7:///data/hl7
    """
    from analytics.sources.mllp import listen

    listen(folder, host, port, say=lambda line: out.print(line, highlight=False, markup=False, soft_wrap=True))
