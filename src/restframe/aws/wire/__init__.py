"""What goes over the wire: requests into the members of an operation's input, outputs and errors into responses.

dispatch.py says which service a request is for; description.py loads what botocore knows of that service. One file per
protocol finds the operation and turns bytes into members and back: json.py, query.py, and rest.py with rest_json.py or
rest_xml.py. values.py reads and writes times, numbers and blobs; validation.py checks an input as the services do.
"""

from restframe.aws.wire.description import Route, Service
from restframe.aws.wire.dispatch import SERVICES, find, service

__all__ = ["SERVICES", "Route", "Service", "find", "service"]
