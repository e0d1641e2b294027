# %%
from dataclasses import dataclass, field, replace
@dataclass
class Config:
    depth: int = 3
    tags: list = field(default_factory=list)
config = Config()
# %%
config.tags.append("x")
# %%
deeper = replace(config, depth=5)
deeper.tags.append("y")
# %%
print(config, deeper, config.tags is deeper.tags, config == Config(3, ["x", "y"]))
