"""The walk that turns a Redshift tree into one for the engine, working out types on the way.

Every node is visited once, by the function registered for its class; a class nobody registered is refused. A visit
returns the node that takes the old one's place and the Redshift type of its value, None where that is not known: for
NULL and for parameters without a value.
"""
