"""GET issue over HTTP against a bare FastAPI route, both on one server."""

import threading
import time

import httpx
import uvicorn

from benchmarks.measure import in_turn
from runtime.server.net.serving import create_app, listen
from runtime.server.runtime import Firebrick

ROUNDS = 400


def compare(firebrick: Firebrick, email: str, secret: str) -> tuple[float, float, float]:
    """Return the ratio, and both medians in ms."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(create_app(firebrick), log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    base = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        with httpx.Client(auth=(email, secret)) as client:
            times = in_turn(
                {
                    "issue": lambda: client.get(
                        f"{base}/rest/api/3/issue/TEAM-3"
                    ).raise_for_status(),
                    "bare": lambda: client.get(f"{base}/_firebrick/health").raise_for_status(),
                },
                ROUNDS,
            )
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
    return times["issue"] / times["bare"], times["issue"], times["bare"]
