"""Which films a run fetches: `films` chooses them by mode, from TMDB's lists (with filters by `discover`) or
the daily id export (`export`), and sifts out what is landed already. `idset` is a small set of many ids.
"""
