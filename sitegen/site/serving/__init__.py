"""What a site needs where it is served: a server to look at it, reloading, going on without a network."""
