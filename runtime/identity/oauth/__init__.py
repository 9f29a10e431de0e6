"""OAuth 2.0 (3LO): clients, consent, codes, tokens. Accounts and sites come in as plain values."""
