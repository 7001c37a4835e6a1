from sample import sample

SAMPLES = []
