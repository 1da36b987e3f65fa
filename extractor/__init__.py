"""TMDB → landing zone: which films, fetch their JSON, land it. No business meaning here.

Rooms, from the outside in: `cli` (options → run → exit code), `options` with `settings` and `values` (every
option, said once), `pipeline` (films → client → queue → landing), `plan` (its dry run), `choice/` (which
films), `tmdb` over `http` and `pace` (one request in, one outcome out), `answer` (what an answer must be),
`rows` (what goes between them), `landing` (the ledger's runs) over `batch` (a batch as SQL) and `connection`,
`schema` with `migrations/` and `placement.sql` (the tables and their versions), `keeping/` (load, dump,
prune, status). What every program of the project shares is in `common/`, its locks in `warehouse/advisory`.
"""

import common  # noqa: F401 (first, for Ctrl-C)
