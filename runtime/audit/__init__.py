"""The append-only trail: every decision, call, grant and refusal, one record each."""
