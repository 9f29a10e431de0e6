"""Who is calling: accounts, principals and the credentials that prove them."""
