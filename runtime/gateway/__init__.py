"""The managed proxy: resolve, decide, attach the token, send, scrub, audit."""
