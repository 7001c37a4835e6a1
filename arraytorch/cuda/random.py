"""The random numbers of CUDA and ROCm devices: a generator for each.

>>> torch.cuda.manual_seed_all(3)
>>> len(torch.cuda.get_rng_state_all()) == torch.cuda.device_count()
True
"""

from .._accelerators.random import Random
from ._devices import DEVICES

_random = Random(DEVICES)

get_rng_state = _random.get_rng_state
get_rng_state_all = _random.get_rng_state_all
initial_seed = _random.initial_seed
manual_seed = _random.manual_seed
manual_seed_all = _random.manual_seed_all
seed = _random.seed
seed_all = _random.seed_all
set_rng_state = _random.set_rng_state
set_rng_state_all = _random.set_rng_state_all
