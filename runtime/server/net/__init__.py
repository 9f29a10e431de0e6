"""Host names, listeners, TLS, the proxy and the HTTP application."""
