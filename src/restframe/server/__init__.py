"""`restframe serve`: one process over one directory, and what others have to know to use it.

server.py runs the doors; record.py is the note that says where they are; environment.py makes of it what a shell needs.
"""
