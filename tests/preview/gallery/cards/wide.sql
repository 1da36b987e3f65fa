select
    'Film ' || number as "Film", date '2014-10-02' + number as "Released", number - 6 as "Change", number as "A measure",
    number as "Another measure", number as "A third measure", number as "A fourth measure", number as "A fifth measure",
    number as "A sixth measure", number as "A seventh measure", number as "An eighth measure", number as "A ninth measure"
from generate_series(1, 12) as number
