"""Which app version is on which site, in which environment; consent and grants."""
