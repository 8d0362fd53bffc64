"""What `import sitegen` gives to notebooks and scripts: friendly about what it takes, typed in what it gives.

predictor.py    images in, results out
images.py       what an image may be
results.py      results: findings and the gate's decision
maps.py         explanations and gradients
attacks.py      images changed so that the classifier errs
notebook.py     how they draw themselves in a notebook
imports.py      models that exist, as bundles
sites.py        building, proving and serving sites
places.py       folders and bundles as they may be named

Nothing is computed here: the rooms below are what the command line uses, too. `sitegen/__init__.py` has the names, and
docs/python.md describes them.
"""
