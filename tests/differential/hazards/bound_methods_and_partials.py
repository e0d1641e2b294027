# %%
import functools
sink = []
put = sink.append
put_pair = functools.partial(sink.extend, [1, 2])
# %%
put("a")
# %%
put_pair()
# %%
print(sink, put.__self__ is sink)
