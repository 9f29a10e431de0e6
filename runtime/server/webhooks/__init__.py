"""Webhooks: who hears of a change, what is sent, and what is sent again."""
