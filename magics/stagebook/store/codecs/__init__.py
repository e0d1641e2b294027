"""One file a codec: how values of certain types become a file of their own.

A codec has `handles(type) -> bool` (by the type's name alone, so that nothing is imported), `write(value, path) ->
bool` (False where this value, though of the right type, would not come back exactly as it is), and `read(path) ->
value`.
"""
