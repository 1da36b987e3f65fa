create schema marts;
create schema analytics;

create table marts.dim_thing (
    thing_id bigint primary key,
    name text,
    small smallint,
    whole integer,
    price numeric(14, 6),
    rating numeric(5, 3),
    huge numeric(38, 10),
    wide numeric(60, 2),
    tiny numeric(3, 5),
    rounded numeric(3, -2),
    is_odd boolean,
    half real,
    double double precision,
    day date,
    at timestamptz,
    "local" timestamp,
    tags text[],
    counts bigint[],
    prices numeric(5, 2)[],
    hash uuid,
    extra jsonb,
    "Odd; ""x"" name" text
);

create table marts.fact_thing (
    date_id date,
    thing_id bigint references marts.dim_thing,
    value integer not null,
    primary key (date_id, thing_id)
);

create view analytics.vw_thing as
select thing_id, name, row_number() over (order by thing_id)::integer as rank from marts.dim_thing;

insert into marts.dim_thing (thing_id) values (-1);

insert into marts.dim_thing values (
    9223372036854775807,
    E'a"b,c\n\td\\e; Ünïcødé 漢字 🎬 \u200f\u0001',
    -32768,
    2147483647,
    12345678.000001,
    9.999,
    1234567890123456789012345678.0123456789,
    1234567890123456789012345678901234567890123456789012345678.90,
    0.00123,
    12300,
    true,
    0.1,
    0.1,
    '0001-01-01',
    '2026-03-29 01:30:00.123456+02',
    '9999-12-31 23:59:59.999999',
    array['a,"b', null, ''],
    array[1, null, -9223372036854775808],
    array[1.50, null],
    '6f0f1b3e-8a0c-4c8e-9a43-2f7f3f0f4a11',
    '{"a": [1, null, "ä"]}',
    'x'
);

insert into marts.dim_thing (thing_id, name, price, is_odd, tags) values (2, '', -0.5, false, '{}');

insert into marts.fact_thing select date '2026-01-01' + n, 2, n from generate_series(0, 99) as n;
