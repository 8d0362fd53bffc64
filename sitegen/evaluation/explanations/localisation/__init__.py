"""Maps against boxes that radiologists drew: do they find the lesion, and better than pointing at its usual place?"""
