"""All doors of one invocation behind the one callable that the sandbox knows."""

from collections.abc import Callable, Mapping

from runtime.hostfunctions.codec import encode_error

HostFunction = Callable[[bytes], bytes]


class Doors:
    """Dispatches a guest's call by name; an unknown name is refused (I1, I6).

    Args:
        functions: The host functions of one invocation, by name.
        prompt: Whether each of them answers within a bounded short time, as the product in this
            process does and the network does not; then a lone call needs no thread of its own.
    """

    def __init__(self, functions: Mapping[str, HostFunction], *, prompt: bool = False) -> None:
        self._functions = dict(functions)
        self.prompt = prompt

    def __call__(self, name: str, body: bytes, /) -> bytes:
        """Answer one call of the guest."""
        function = self._functions.get(name)
        if function is None:
            return encode_error("UNKNOWN_DOOR", f"There is no host function {name[:64]!r}.")
        return function(body)
