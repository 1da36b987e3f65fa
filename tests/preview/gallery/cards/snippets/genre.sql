(
    select names.genre, names.place::integer as place
    from unnest(array[
        'Action', 'Adventure', 'Animation', 'Comedy', 'Crime', 'Documentary', 'Drama', 'Family', 'Fantasy', 'Science Fiction'
    ]) with ordinality as names (genre, place)
) as genre
