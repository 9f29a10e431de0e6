"""Pure, total decisions: operations, scopes, egress, impersonation. Never does I/O."""
