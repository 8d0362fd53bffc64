"""What `bundle.json` says, as the runtime needs it."""
