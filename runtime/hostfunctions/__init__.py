"""The doors a guest can knock on, one module each, and the byte codec."""
