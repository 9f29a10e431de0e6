"""Recordings found, exported and run again: from a state, or from a file without any state."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime import __version__
from runtime.errors import InvocationError, ManifestError
from runtime.installation.model import AppVersion
from runtime.invocation.endpointreplay import is_of_endpoint, replay_endpoint
from runtime.invocation.images import Images
from runtime.invocation.proof import Proof, search_memory
from runtime.invocation.recordfile import MOST_FILE_BYTES, read_file, read_record, write_file
from runtime.invocation.recording import Kept, Recording
from runtime.invocation.replay import Replay, replay
from runtime.invocation.scrubbing import Scrubber
from runtime.manifest.files import read_limited
from runtime.sandbox.engine import Engine
from runtime.server.runtime import Firebrick
from runtime.server.settings import Settings

SHORTEST_NAME = 4  # characters of an invocation id that may stand for it


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recording, what running it again came to, and whether anything was taken out of it."""

    recording: Recording
    replay: Replay
    scrubbed: bool


def find_recording(firebrick: Firebrick, name: str) -> Kept:
    """Return the recording of an invocation, by its id, the beginning of it, or ``last``.

    Raises:
        InvocationError: ``UNKNOWN_RECORDING`` if there is none, or if several begin so.
    """
    if name == "last":
        newest = firebrick.recordings.newest()
        if newest is not None:
            return newest
    found = firebrick.recordings.find(name) if len(name) >= SHORTEST_NAME else ()
    if len(found) == 1:
        return found[0]
    if found:
        raise InvocationError(
            "UNKNOWN_RECORDING", f"{len(found)} invocations begin with {name}; give more of the id."
        )
    if len(name) >= SHORTEST_NAME and any(not one.seed for one in firebrick.records.find(name)):
        raise InvocationError(
            "UNKNOWN_RECORDING",
            f"The invocation {name!r} ran outside of the sandbox, so there is nothing to run "
            "again; or an app's remote did its work, and it is not kept any more. "
            "'firebrick trace' shows its calls.",
        )
    raise InvocationError(
        "UNKNOWN_RECORDING",
        f"There is no recording of an invocation {name!r}: 'firebrick logs' lists them. The newest "
        f"{firebrick.settings.recordings} are kept (FIREBRICK_RECORDINGS).",
    )


def replay_kept(firebrick: Firebrick, name: str, given: Mapping[str, str]) -> Replayed:
    """Run an invocation of a state again.

    Args:
        firebrick: The state.
        name: Id of the invocation, the beginning of it, or ``last``.
        given: Values of encrypted variables; those of the state are known.

    Raises:
        InvocationError: ``UNKNOWN_RECORDING``, or ``RECORD_NEEDS_SECRET``.
    """
    kept = find_recording(firebrick, name)
    version = version_of(firebrick, kept)
    secrets = {**firebrick.env_of(version), **given} if version.variables != "[]" else dict(given)
    return _replayed(kept.body, version, secrets, firebrick.images, scrubbed=kept.scrubbed)


def replay_file(path: Path, settings: Settings, given: Mapping[str, str]) -> Replayed:
    """Run the invocation of a record file again. No state is needed, and none is made.

    Args:
        path: The file.
        settings: Say where compiled apps are kept; a state that does not exist keeps none.
        given: Values of encrypted variables.

    Raises:
        ManifestError: ``BAD_RECORD``.
        InvocationError: ``RECORD_NEEDS_SECRET``.
    """
    raw = read_limited(path, MOST_FILE_BYTES)
    if raw is None or len(raw) > MOST_FILE_BYTES:
        raise ManifestError("BAD_RECORD", f"{path} cannot be read, or is too large for a record.")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ManifestError("BAD_RECORD", f"{path} is not UTF-8.") from None
    recording, version, scrubbed = read_file(text)
    folder = settings.cache_folder if settings.cache_folder.is_dir() else None
    engine = Engine(folder, pooling=settings.pooling)
    try:
        body = Scrubber(_known(recording, given)).restore(text)
        recording = read_file(body)[0]
        known = _known(recording, given)
        again = _again(recording, version, Images(lambda: engine), known)
        return Replayed(recording, again, scrubbed)
    finally:
        engine.close()


def export(firebrick: Firebrick, name: str) -> tuple[str, Proof]:
    """Return an invocation as the text of a record file, and the proof that no secret is in it.

    Raises:
        InvocationError: ``UNKNOWN_RECORDING``, or ``RECORD_HOLDS_SECRET`` if a live credential
            stands in it, such as one that the app's own source holds.
    """
    kept = find_recording(firebrick, name)
    text = write_file(kept.body, scrubbed=kept.scrubbed, version=version_of(firebrick, kept))
    proof = search_memory(
        memoryview(text.encode()), firebrick.broker.live_tokens(), firebrick.live_digests()
    )
    if proof.found:
        raise InvocationError(
            "RECORD_HOLDS_SECRET",
            "A live credential stands in the record or in the app's sources: revoke it, take it "
            "out of the app and record again.",
        )
    return text, proof


def version_of(firebrick: Firebrick, kept: Kept) -> AppVersion:
    """Return the app version that a recording belongs to.

    Raises:
        InvocationError: ``UNKNOWN_RECORDING`` if it is gone.
    """
    version = firebrick.installations.find_version(kept.version_id)
    if version is None:
        raise InvocationError(
            "UNKNOWN_RECORDING", "The app version that ran is not there any more."
        )
    return version


def _replayed(
    body: str, version: AppVersion, given: Mapping[str, str], images: Images, *, scrubbed: bool
) -> Replayed:
    secrets = _known(read_record(body), given)
    recording = read_record(Scrubber(secrets).restore(body))
    return Replayed(recording, _again(recording, version, images, secrets), scrubbed)


def _again(
    recording: Recording, version: AppVersion, images: Images, secrets: Mapping[str, str]
) -> Replay:
    if not is_of_endpoint(recording):
        return replay(recording, images.image(version), secrets)
    try:
        manifest = images.manifest(version)
    except (ValueError, RecursionError):
        raise ManifestError("BAD_RECORD", "The manifest in the record cannot be read.") from None
    return replay_endpoint(recording, manifest, secrets, __version__)


def _known(recording: Recording, given: Mapping[str, str]) -> dict[str, str]:
    """Return the encrypted variables of a recording with their values."""
    lacking = recording.lacks(given)
    if lacking:
        raise InvocationError(
            "RECORD_NEEDS_SECRET",
            "The app has encrypted variables, and a record holds only their hashes. Give the value "
            f"that was in force: {' '.join(f'--variable {name}=…' for name in lacking)}.",
        )
    return {name: given[name] for name in recording.secrets}
