"""A whole Firebrick over a state on disk: the default world, the sample apps, real guests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.invocation.invoker import InvocationResult, Order
from runtime.server.runtime import Firebrick, open_firebrick
from runtime.server.settings import Settings

APPS = Path(__file__).parents[2] / "sample_apps"


class Bench:
    """One state with shortcuts; nothing in it is faked."""

    def __init__(self, firebrick: Firebrick, cloud_id: str | None = None) -> None:
        self.firebrick = firebrick
        self.cloud_id = cloud_id or firebrick.find_site(None)

    def install(self, folder: Path) -> None:
        version, _ = self.firebrick.apps.deploy(folder)
        plan = self.firebrick.apps.plan(version, self.cloud_id)
        self.firebrick.apps.install(plan, self.cloud_id, self.firebrick.find_person("amy"))

    def invoke(
        self, app: str, function: str, payload: object = None, *, as_: str | None = None,
        seed: bytes | None = None, now_s: float | None = None,
    ) -> InvocationResult:  # fmt: skip
        firebrick = self.firebrick
        version = firebrick.find_app(app, "development")
        installation = firebrick.apps.find_installation(version, self.cloud_id)
        running = firebrick.apps.running_version(installation)
        return firebrick.invoker.invoke(
            Order(
                version=running,
                env=firebrick.env_of(running),
                installation=installation,
                function=function,
                payload=payload,
                account_id=None if as_ is None else firebrick.find_person(as_).account_id,
                site_url=firebrick.site_url(self.cloud_id),
                seed=seed,
                now_s=now_s,
                limits=firebrick.settings.limits,
                egress=firebrick.egress(),
            )
        )


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def bench(tmp_path: Path, cache: Path) -> Iterator[Bench]:
    with open_firebrick(Settings(state=tmp_path / "state", cache=cache)) as firebrick:
        yield Bench(firebrick)


@pytest.fixture
def with_sample(bench: Bench) -> Callable[[str], Bench]:
    def install(name: str) -> Bench:
        bench.install(APPS / name)
        return bench

    return install
