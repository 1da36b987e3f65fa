select said.name as "Name", said.value as "Value"
from (values
    ('Twice', 'Love &amp;amp; loss.'), ('Once', 'Love &amp; loss &quot;by the sea&quot; &#8211; &eacute;'),
    ('Markup', '&lt;img src=x onerror="document.body.dataset.broken = 1"&gt;'), ('Released', '2014-10-02')
) as said (name, value)
where true
    [[and said.name = {{ text }}]]
    [[and date '2025-06-01' = {{ day }}]]
