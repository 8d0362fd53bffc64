"""From one file, all that makes a site: which data, which network, how it is trained, measured, calibrated, shipped."""
