"""Whether a copy of a site is what was built: hashes and signatures."""
