"""Files of weights as data alone: found, named, checked, and put into networks."""
