"""What else lands the films of `/discover/movie` in PostgreSQL, each a program of its own.

They read `common.Job` from the environment, land the same films with the same requests as
`python -m extractor run --mode popular` does on an empty landing zone, and are written as their
documentation advises: a rival that is held back proves nothing.
"""
