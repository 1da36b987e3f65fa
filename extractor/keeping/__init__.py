"""What keeps the landing zone, and asks TMDB nothing: `load` and `dump` (the landing zone as a file), `prune`
(retention), `status` (what is landed, what failed), each a command of `python -m extractor`.
"""
