"""What Forge apps outside of the sandbox use: the proxy, remotes, GraphQL."""
