"""The AWS APIs over HTTP, driven by botocore's descriptions of the services.

app.py takes a request from its bytes to an operation and back; signature.py says who sent it; wire/ reads and writes
the protocols; each service is a module or folder of its own with one function per operation.
"""
