-- The passages of the knowledge base that fit a question best, see aya.search().
SELECT s.chunk_id, s.document_id, s.title, s.source, s.category, s.node_name, s.modified_at, s.heading, s.start_offset, s.end_offset, s.passage,
    s.score, s.meaning_rank, s.distance, s.words_rank, s.words_score::float8
FROM aya.search(%(text)s, %(vector)s::halfvec, %(most)s, %(category)s, %(source)s, %(node)s, %(since)s, %(until)s) s
