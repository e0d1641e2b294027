"""Nothing that a kernel says is overlooked."""

from __future__ import annotations

import asyncio
import time

import pytest
import zmq.asyncio
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.session import Session

from stagebook.run.client import Channel


async def whether_a_reply_is_seen(kind: type[AsyncZMQSocketChannel], address: str) -> bool:
    """Whether one who waits for a message is given it if it comes just before another sends one."""
    with zmq.asyncio.Context() as context, zmq.Context() as others:
        ours, kernels = context.socket(zmq.DEALER), others.socket(zmq.ROUTER)
        kernels.bind(address)
        ours.connect(address)
        session = Session(key=b"key")
        channel = kind(ours, session)
        channel.send(session.msg("kernel_info_request"))
        identities, _ = session.feed_identities(kernels.recv_multipart())
        waiting = asyncio.ensure_future(channel.get_msg())
        await asyncio.sleep(0.05)
        session.send(kernels, "execute_reply", ident=identities)
        time.sleep(0.05)  # it arrives while the loop does something else
        channel.send(session.msg("comm_msg"))
        found, _ = await asyncio.wait([waiting], timeout=2)
        waiting.cancel()
        for socket in (ours, kernels):
            socket.close(linger=0)
        return bool(found)


@pytest.mark.parametrize(("kind", "seen"), [(Channel, True), (AsyncZMQSocketChannel, False)])
def test_a_reply_is_seen_that_comes_as_another_sends(kind, seen, tmp_path):
    """The second one is Jupyter's own: once it sees the reply, ours is not needed any more."""
    assert asyncio.run(whether_a_reply_is_seen(kind, f"ipc://{tmp_path}/socket")) is seen
