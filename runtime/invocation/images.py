"""Deployed versions made ready to run: parsed once, compiled once, shared by every invocation."""

import base64
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from runtime.errors import InvocationError
from runtime.hostfunctions.prelude import platform_prelude
from runtime.installation.model import AppVersion
from runtime.installation.variables import thaw
from runtime.invocation.sourcemaps import ModuleLines, Places, SourceMap, has_frames
from runtime.invocation.sources import AppSources, lines_of
from runtime.manifest.building import manifest_from_json
from runtime.manifest.model import Manifest
from runtime.sandbox.engine import Engine
from runtime.sandbox.values import Image, JavaScriptSource, Outcome
from runtime.sandbox.world import bundled_script, world_prelude


class Images:
    """Holds the manifest and the sandbox image of each version that was used.

    Args:
        engine: Returns the sandbox engine; it is started by the first image.
    """

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._manifests: dict[str, Manifest] = {}
        self._images: dict[str, Image] = {}
        self._maps: dict[str, Places] = {}

    def manifest(self, version: AppVersion) -> Manifest:
        """Return a version's manifest."""
        with self._lock:
            manifest = self._manifests.get(version.digest)
            if manifest is None:
                manifest = manifest_from_json(version.manifest_text)
                self._manifests[version.digest] = manifest
        return manifest

    def image(self, version: AppVersion) -> Image:
        """Return a version's image, from this process, from the cache on disk, or compiled now."""
        with self._lock:
            key = f"{version.digest} {version.variables}"
            image = self._images.get(key)
            if image is None:
                image = self._build(version.sources, plain_variables(version))
                self._images[key] = image
        return image

    def translate(self, version: AppVersion, outcome: Outcome) -> Outcome:
        """Return an outcome whose stacks name the app's own files and lines."""
        if not has_frames(outcome):
            return outcome
        with self._lock:
            drawn = self._maps.get(version.digest)
            if drawn is None:
                drawn = self._maps[version.digest] = _places_of(version.sources)
        return drawn.apply(outcome)

    def _build(self, sources: str, variables: Mapping[str, str]) -> Image:
        stored = json.loads(sources)
        if "wasm" in stored:
            return self._engine().wasm(base64.b64decode(stored["wasm"]))
        if "bundle" in stored:
            source = bundled_source(stored["bundle"])
        else:
            source = AppSources.from_json(stored).javascript()
        if variables:
            script = _SET_VARIABLES % json.dumps(dict(variables), sort_keys=True)
            source = replace(source, prelude=(*source.prelude, ("variables.js", script)))
        try:
            return self._engine().javascript(source)
        except InvocationError as error:
            message = _places_of(sources).translate(error.message)
            raise InvocationError(error.code, message) from error


def _places_of(sources: str) -> Places:
    stored = json.loads(sources)
    if "bundle" in stored:
        return SourceMap(str(stored.get("map", "")))
    lines = lines_of(stored)
    return ModuleLines(lines) if lines else Places()


_SET_VARIABLES = "() => { Object.assign(process.env, %s); }"


def plain_variables(version: AppVersion) -> dict[str, str]:
    """Return the variables an app sees while it loads: encrypted ones are in no image."""
    return {one.key: one.value for one in thaw(version.variables) if not one.secure}


def bundled_source(script: str) -> JavaScriptSource:
    """Return what the sandbox evaluates of an app that was bundled into one script."""
    return JavaScriptSource(
        prelude=world_prelude() + platform_prelude(), bundle=bundled_script(script)
    )
