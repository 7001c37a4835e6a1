"""Neural networks: modules, parameters and the functions they are made of."""

from .modules.container import ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential
from .modules.module import Module
from .parameter import Buffer, Parameter
