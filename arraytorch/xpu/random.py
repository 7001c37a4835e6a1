"""The random numbers of Intel devices: a generator for each.

>>> torch.xpu.manual_seed_all(3)
>>> len(torch.xpu.get_rng_state_all()) == torch.xpu.device_count()
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
