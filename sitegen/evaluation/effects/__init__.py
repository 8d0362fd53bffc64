"""Expected effects of interventions on images of one's own, with intervals: study, and its tables."""
