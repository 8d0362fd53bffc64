"""Projects: a folder with a `sitegen.toml`, which says what a site is made of and what it looks like.

settings.py     the file's keys, typed; unknown ones are named with the nearest that is known
colours.py      colours of the page, checked to be legible, as CSS
contents.py     the files that the settings name: logo, examples, wheels, read and checked
teaching.py     the cases of `[teaching]`, with their labels
plan.py         a project, or bundles alone, as something that can be built
start.py        `sitegen new`: a folder with every option, commented
watch.py        building again whenever a file changes
template/       the files that a new project begins with

The keys are documented in docs/project.md.
"""
