"""Other programs that run a model's graph, one module each, all of one form.

`DTYPES` names what a runtime computes in, and `compile_graph(graph, dtype)` gives a function from
a dict of int32 arrays (batch, N) to a float32 array (batch, outputs). It holds the weights as
they were when it was compiled.
"""
