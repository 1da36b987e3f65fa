"""TMDB → landing zone: which films, fetch their JSON, land it. No business meaning here.

Rooms: `cli` (options → run → exit code), `settings`, `tmdb` (one request in, one outcome out), `body` (what
an answer must be), `pace` (how often to ask), `catalogue` and `export` (which films), `schema` with
`migrations/` (the tables and their versions), `landing` (lock, ledger, batches), `pipeline` (catalogue →
client → queue → landing), `progress`, `logs`, `report` and `notify` (who hears of a run, and what), `load`
and `dump` (the landing zone as a file), `status`, `prune`.
"""
