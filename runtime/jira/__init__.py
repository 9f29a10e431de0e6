"""The product: a stateful Jira that decides like Jira Cloud. Knows nothing of Forge."""
