"""One file a codec: how values of certain types become a file of their own.

A codec has `handles(type) -> bool` (by the type's name alone, so that nothing is imported), `write(value, path) ->
bool` (False where this value, though of the right type, would not come back exactly as it is), and `read(path) ->
value`.

It is faster if it has, in place of `write`, `write_to(value, sink) -> bool` (the sink digests what is written to it
while it is written), and in place of `read`, `read_from(memory) -> value`: the file as memory that may be written to,
mapped copy-on-write, so that the value can lie in it as it is.
"""
