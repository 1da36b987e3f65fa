select genre as "Genre"
from unnest(array['Action', 'Adventure', 'Animation', 'Comedy', 'Crime', 'Documentary', 'Drama', 'Family', 'Fantasy', 'Science Fiction']) as genre
