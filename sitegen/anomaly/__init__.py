"""What the gate is fitted to: statistics of features, thresholds, tables of quantiles, and a combination of scores.

Nothing here ever sees an image from outside the training distribution: thresholds and tables come from validation
images, and the examples of what is unlike them are made from those.
"""
