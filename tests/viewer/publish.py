"""A foreign WHIP publisher (aiortc): publish.py URL FILE, the key in WHIP_KEY.

Sends the file over and over. Prints "connected" once media flows, and deletes its session when standard
input ends.
"""

import asyncio
import os
import sys
from urllib.parse import urljoin
from urllib.request import Request, urlopen

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer


def call(method, url, body=None):
    request = Request(url, method=method, data=body)
    request.add_header("Authorization", "Bearer " + os.environ["WHIP_KEY"])
    if body is not None:
        request.add_header("Content-Type", "application/sdp")
    return urlopen(request, timeout=10)


async def main(url, path):
    loop = asyncio.get_running_loop()
    player = MediaPlayer(path, loop=True)
    peer = RTCPeerConnection()
    connected = asyncio.Event()

    @peer.on("connectionstatechange")
    def on_state():
        if peer.connectionState == "connected":
            connected.set()

    peer.addTransceiver(player.audio, direction="sendonly")
    peer.addTransceiver(player.video, direction="sendonly")
    await peer.setLocalDescription(await peer.createOffer())
    offer = peer.localDescription.sdp.encode()
    response = await loop.run_in_executor(None, call, "POST", url, offer)
    session = urljoin(url, response.headers["Location"])
    answer = RTCSessionDescription(response.read().decode(), "answer")
    await peer.setRemoteDescription(answer)
    await asyncio.wait_for(connected.wait(), 10)
    print("connected", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    response = await loop.run_in_executor(None, call, "DELETE", session)
    print("deleted", response.status, flush=True)
    await peer.close()


asyncio.run(main(*sys.argv[1:]))
