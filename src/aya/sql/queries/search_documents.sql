-- Documents that hold the words, best first. Long ones are searched in pieces, since a text search vector has its limit; the
-- words of a document's name and description count for each of its pieces.
WITH asked AS (
    SELECT websearch_to_tsquery('english', %(text)s) AS words
), piece AS (
    SELECT d.id, g.number, substr(d.content, g.number * 100000 + 1, 100200) AS text
    FROM documentation_files d
    CROSS JOIN LATERAL generate_series(0, greatest(length(d.content) - 1, 0) / 100000) AS g (number)
    WHERE d.is_latest IS NOT FALSE
), hit AS (
    SELECT p.id, p.text, ts_rank(v.vector, a.words) AS rank,
        row_number() OVER (PARTITION BY p.id ORDER BY ts_rank(v.vector, a.words) DESC, p.number) AS place
    FROM piece p
    JOIN documentation_files d ON d.id = p.id
    CROSS JOIN asked a
    CROSS JOIN LATERAL (
        SELECT setweight(to_tsvector('english', concat_ws(' ', d.file_name, d.description)), 'A')
            || to_tsvector('english', coalesce(p.text, '')) AS vector
    ) v
    WHERE v.vector @@ a.words
), best AS (
    SELECT * FROM hit WHERE place = 1 ORDER BY rank DESC, id LIMIT %(limit)s
)
SELECT d.id, d.file_name, d.file_path, d.category, d.description, d.updated_at, b.rank::float8 AS rank,
    ts_headline('english', coalesce(b.text, ''), a.words,
        'MaxFragments=3, MaxWords=40, MinWords=15, FragmentDelimiter=" … ", StartSel=**, StopSel=**') AS excerpt
FROM best b
JOIN documentation_files d ON d.id = b.id
CROSS JOIN asked a
ORDER BY b.rank DESC, d.id
