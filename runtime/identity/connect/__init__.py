"""Connect: descriptors, JSON web tokens both ways, installations, and acting for users."""
