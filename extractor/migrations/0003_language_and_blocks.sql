-- What a payload was asked for in, and what of it did not come.

-- the language that the answer was asked for in; null is TMDB's default, en-US
alter table raw.tmdb_response add column if not exists language text;

-- of the landed, films that came without the blocks asked for; and rows not written, because the landing zone has
-- a fuller one of the same day, or (a load) that very one
alter table raw.extract_run
    add column if not exists partial bigint not null default 0,
    add column if not exists kept bigint not null default 0;
