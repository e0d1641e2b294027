# %%
import io
import pickle
class Clip:
    def __init__(self, high):
        self.high = high
def scale(x):
    return 2 * x
# %%
clips = [Clip(1.0), Clip(2.0)]
steps = {"scale": scale}
# %%
text = pickle.dumps(clips)
print(len(text), [clip.high for clip in pickle.loads(text)])
# %%
print(pickle.loads(pickle.dumps(steps))["scale"](4))
