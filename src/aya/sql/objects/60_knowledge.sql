-- Searching the knowledge base: by meaning (vectors) and by words (full text), put together by reciprocal rank fusion.

-- So that the options of pgvector are known when they are set below.
DO $$ BEGIN PERFORM '[1]'::vector <=> '[1]'::vector; END $$;

CREATE OR REPLACE FUNCTION aya.search_terms(query text) RETURNS TABLE (lexeme text, share real)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT q.lexeme, coalesce(c.share, 0)
    FROM (SELECT unnest(tsvector_to_array(to_tsvector('english', query))) LIMIT 64) AS q (lexeme)
    LEFT JOIN aya.common_lexemes c ON c.lexeme = q.lexeme
    ORDER BY 2, 1;
END;
COMMENT ON FUNCTION aya.search_terms(text) IS 'The words of a question that count, and the share of passages that hold each, the rarest first; 0: few do.';

CREATE OR REPLACE FUNCTION aya.any_of(lexemes text[]) RETURNS tsquery
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN (SELECT string_agg('''' || replace(replace(l, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery FROM unnest(lexemes) AS l);
COMMENT ON FUNCTION aya.any_of(text[]) IS 'A text search for passages that hold at least one of these words.';

CREATE OR REPLACE FUNCTION aya.all_of(lexemes text[]) RETURNS tsquery
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
RETURN (SELECT string_agg('''' || replace(replace(l, '\', '\\'), '''', '''''') || '''', ' & ')::tsquery FROM unnest(lexemes) AS l);
COMMENT ON FUNCTION aya.all_of(text[]) IS 'A text search for passages that hold all of these words.';

CREATE OR REPLACE FUNCTION aya.ranked_chunks(
    query text, query_embedding halfvec DEFAULT NULL, most integer DEFAULT 10, in_category text DEFAULT NULL, from_source text DEFAULT NULL,
    of_node text DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL
) RETURNS TABLE (chunk_id bigint, score float8, meaning_rank integer, distance float8, words_rank integer, words_score float4)
LANGUAGE plpgsql STABLE
SET search_path = public, pg_catalog, pg_temp
SET hnsw.ef_search = 100
SET hnsw.iterative_scan = relaxed_order
SET hnsw.max_scan_tuples = 100000
SET ivfflat.probes = 10
SET ivfflat.iterative_scan = relaxed_order
SET jit = off
AS $$
DECLARE
    -- Up to so many passages that a filter leaves are all compared: quicker than to look for them in an index, and exact.
    exact_below CONSTANT integer := 2000;
    -- So many passages are ranked by their words at most, where they come in no order.
    ranked CONSTANT integer := 500;
    -- Words that more of all passages hold say nothing beside rarer ones.
    common CONSTANT real := 0.05;
    s record;
    wanted integer;
    must tsquery;   -- what has to hold: the query was written with quotes, `or` or `-`
    words tsquery;    -- by which passages are ranked
    among tsquery;    -- which of them are ranked
    terms text[];
    shares real[];
    passages float8;
    of_any float8 := 0;
    of_all float8;
    is_filtered boolean := num_nonnulls(in_category, from_source, of_node, since, until) > 0;
    filters text := '';
    few bigint;
    near text;
    exact text;
    ids bigint[];
    distances float8[];
BEGIN
    SELECT t.id, t.dimensions, t.nearest INTO s FROM aya.chunk_sets t WHERE t.is_active;
    IF NOT FOUND OR most < 1 THEN
        RETURN;
    END IF;
    wanted := greatest(s.nearest, least(most, 1000));
    IF query_embedding IS NOT NULL AND vector_dims(query_embedding) IS DISTINCT FROM s.dimensions THEN
        RAISE EXCEPTION 'the query''s vector has % dimensions, those of the passages have %', vector_dims(query_embedding),
            coalesce(s.dimensions::text, 'none') USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- Which passages may be found.
    IF query ~* '"|(^|\s)-\w|\sor\s' THEN
        must := websearch_to_tsquery('english', query);
        must := CASE WHEN numnode(must) > 0 THEN must END;
    END IF;
    IF is_filtered THEN
        filters := filters || ' AND c.document_id IN (SELECT d.id FROM public.documents d WHERE true'
            || CASE WHEN in_category IS NOT NULL THEN ' AND d.category = $3' ELSE '' END
            || CASE WHEN from_source IS NOT NULL THEN ' AND starts_with(d.source, $4)' ELSE '' END
            || CASE WHEN of_node IS NOT NULL THEN ' AND d.node_name = $5' ELSE '' END
            || CASE WHEN since IS NOT NULL THEN ' AND coalesce(d.modified_at, d.created_at) >= $6' ELSE '' END
            || CASE WHEN until IS NOT NULL THEN ' AND coalesce(d.modified_at, d.created_at) < $7' ELSE '' END || ')';
    END IF;
    IF must IS NOT NULL THEN
        filters := filters || ' AND c.words @@ $8';
    END IF;

    -- Which words count: common ones do not beside rarer ones, and only as many are looked for as give a number that can be ranked.
    SELECT array_agg(t.lexeme), array_agg(t.share) INTO terms, shares FROM aya.search_terms(query) t;
    IF must IS NOT NULL THEN
        words := must;
        among := must;
    ELSIF terms IS NOT NULL THEN
        words := aya.any_of(terms);
        SELECT greatest(c.reltuples, 0) INTO passages FROM pg_class c WHERE c.oid = 'public.chunks'::regclass;
        of_all := passages;
        FOR n IN 1 .. cardinality(terms) LOOP
            EXIT WHEN shares[n] > common AND n > 1;
            of_any := of_any + shares[n] * passages;
            of_all := of_all * shares[n];
            -- The rarest words, any of them; where even one is in too many passages, several at once.
            among := CASE WHEN of_any <= ranked THEN aya.any_of(terms[:n])
                WHEN among IS NULL AND of_all <= ranked THEN aya.all_of(terms[:n]) ELSE among END;
        END LOOP;
        IF among IS NULL AND query_embedding IS NULL THEN
            -- Nothing else tells which of many passages are good: all that hold every word are ranked, or any where none does.
            among := plainto_tsquery('english', query);
            EXECUTE 'SELECT count(*) FROM (SELECT FROM public.chunks c WHERE c.set_id = $1 AND c.words @@ $2 LIMIT 1) AS one' INTO few USING s.id, among;
            among := CASE few WHEN 0 THEN words ELSE among END;
        END IF;
    END IF;

    IF query_embedding IS NOT NULL THEN
        near := 'SELECT array_agg(m.id ORDER BY m.distance, m.id), array_agg(m.distance ORDER BY m.distance, m.id) FROM (%s) AS m';
        exact := format(near, format('SELECT n.id, n.embedding <=> $1 AS distance FROM (SELECT c.id, c.embedding FROM public.chunks c '
            'WHERE c.set_id = %s%s OFFSET 0) AS n WHERE n.embedding IS NOT NULL ORDER BY 2, 1 LIMIT %s', s.id, filters, wanted));
        near := format(near, format('SELECT c.id, c.embedding::halfvec(%1$s) <=> $1 AS distance FROM public.chunks c WHERE c.set_id = %2$s%3$s '
            'ORDER BY c.embedding::halfvec(%1$s) <=> $1 LIMIT %4$s', s.dimensions, s.id, filters, wanted));
        IF filters <> '' THEN
            EXECUTE format('SELECT count(*) FROM (SELECT FROM public.chunks c WHERE c.set_id = %s%s LIMIT %s) AS few', s.id, filters, exact_below + 1)
                INTO few USING query_embedding, words, in_category, from_source, of_node, since, until, must;
        END IF;
        EXECUTE CASE WHEN few <= exact_below THEN exact ELSE near END
            INTO ids, distances USING query_embedding, words, in_category, from_source, of_node, since, until, must;
        -- An index that gave up too early must lose nothing: then all passages that the filter leaves are compared.
        IF few > exact_below AND coalesce(cardinality(ids), 0) < wanted THEN
            EXECUTE exact INTO ids, distances USING query_embedding, words, in_category, from_source, of_node, since, until, must;
        END IF;
    END IF;

    RETURN QUERY EXECUTE format($q$
WITH meaning AS (
    SELECT n.id, n.distance, n.place FROM unnest($10, $11) WITH ORDINALITY AS n (id, distance, place)
), worded AS (
    SELECT w.id, w.rank, row_number() OVER (ORDER BY w.rank DESC, w.id) AS place FROM (%s) AS w ORDER BY w.rank DESC, w.id LIMIT %s
)
SELECT coalesce(m.id, w.id), coalesce(1.0 / (60 + m.place), 0)::float8 + coalesce(1.0 / (60 + w.place), 0)::float8, m.place::integer, m.distance,
    w.place::integer, w.rank
FROM meaning m
FULL JOIN worded w ON w.id = m.id
ORDER BY 2 DESC, m.distance, 1
LIMIT %s $q$,
        CASE
            WHEN words IS NULL THEN 'SELECT NULL::bigint AS id, NULL::float4 AS rank WHERE false'
            -- Only words that are everywhere: they tell which of the passages that are near in meaning are better.
            WHEN among IS NULL THEN 'SELECT c.id, ts_rank(c.words, $2) AS rank FROM public.chunks c WHERE c.id = ANY ($10) AND c.words @@ $2'
            ELSE format('SELECT c.id, ts_rank(c.words, $2) AS rank FROM public.chunks c WHERE c.set_id = %s AND c.words @@ $9%s', s.id, filters)
        END, wanted, most)
    USING query_embedding, words, in_category, from_source, of_node, since, until, must, among, ids, distances;
END
$$;
COMMENT ON FUNCTION aya.ranked_chunks(text, halfvec, integer, text, text, text, timestamptz, timestamptz) IS 'The passages of the knowledge base that fit a question best, as aya.search() finds them, without their text.';

CREATE OR REPLACE FUNCTION aya.search(
    query text, query_embedding halfvec DEFAULT NULL, most integer DEFAULT 10, in_category text DEFAULT NULL, from_source text DEFAULT NULL,
    of_node text DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL
) RETURNS TABLE (
    chunk_id bigint, document_id bigint, title text, source text, category text, node_name text, modified_at timestamptz, heading text,
    start_offset integer, end_offset integer, passage text, score float8, meaning_rank integer, distance float8, words_rank integer, words_score float4
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.id, d.id, d.title, d.source, d.category, d.node_name, coalesce(d.modified_at, d.created_at), c.heading, c.start_offset, c.end_offset,
        CASE WHEN q.words IS NOT NULL THEN ts_headline('english', c.chunk_text, q.words, 'HighlightAll=true, StartSel=**, StopSel=**')
            ELSE c.chunk_text END,
        r.score, r.meaning_rank, r.distance, r.words_rank, r.words_score
    FROM aya.ranked_chunks(query, query_embedding, most, in_category, from_source, of_node, since, until) r
    JOIN public.chunks c ON c.id = r.chunk_id
    JOIN public.documents d ON d.id = c.document_id
    CROSS JOIN (SELECT aya.any_of(ARRAY(SELECT t.lexeme FROM aya.search_terms(query) t))) AS q (words)
    ORDER BY r.score DESC, r.distance, c.id;
END;
COMMENT ON FUNCTION aya.search(text, halfvec, integer, text, text, text, timestamptz, timestamptz) IS 'The passages of the knowledge base that fit a question best: by the nearness of the query''s vector (of the model of the active set; NULL: by words alone) and by its words, put together by reciprocal rank fusion, 1 / (60 + rank) of each. Filters: category, beginning of the source, node, from and before when the document changed. Words found stand between ** in the passage.';

CREATE OR REPLACE FUNCTION aya.note_common_lexemes() RETURNS bigint
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH counted AS (
        SELECT l.lexeme, l.share
        FROM pg_stats p
        -- Behind the shares stand the least and the greatest of them.
        CROSS JOIN LATERAL unnest(p.most_common_elems::text::text[], p.most_common_elem_freqs[:array_length(p.most_common_elems::text::text[], 1)]) AS l (lexeme, share)
        WHERE p.schemaname = 'public' AND p.tablename = 'chunks' AND p.attname = 'words'
    ), gone AS (
        DELETE FROM aya.common_lexemes o WHERE NOT EXISTS (SELECT FROM counted c WHERE c.lexeme = o.lexeme)
    ), noted AS (
        INSERT INTO aya.common_lexemes (lexeme, share) SELECT c.lexeme, c.share FROM counted c
        ON CONFLICT (lexeme) DO UPDATE SET share = excluded.share
        RETURNING 1
    )
    SELECT count(*) FROM noted;
END;
COMMENT ON FUNCTION aya.note_common_lexemes() IS 'Note which words many passages hold, out of what ANALYZE counted; how many there are.';
REVOKE EXECUTE ON FUNCTION aya.note_common_lexemes() FROM PUBLIC;

CREATE OR REPLACE FUNCTION aya.index_chunks(of_set integer, method text, into_lists integer DEFAULT NULL) RETURNS text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_catalog, pg_temp
AS $$
DECLARE
    s record;
    name text := format('idx_chunks_vectors_%s', of_set);
BEGIN
    SELECT t.id, t.dimensions INTO STRICT s FROM aya.chunk_sets t WHERE t.id = of_set;
    -- The one that is there serves until the new one does: only the end of this excludes who searches.
    IF method <> 'none' THEN
        EXECUTE format('CREATE INDEX %I ON public.chunks USING %s ((embedding::halfvec(%s)) halfvec_cosine_ops)%s WHERE set_id = %s',
            name || '_new', CASE method WHEN 'ivfflat' THEN 'ivfflat' ELSE 'hnsw' END, s.dimensions,
            CASE WHEN method = 'ivfflat' THEN format(' WITH (lists = %s)', into_lists) ELSE '' END, s.id);
    END IF;
    EXECUTE format('DROP INDEX IF EXISTS public.%I', name);
    IF method <> 'none' THEN
        EXECUTE format('ALTER INDEX public.%I RENAME TO %I', name || '_new', name);
    END IF;
    UPDATE aya.chunk_sets SET index_method = method, lists = into_lists WHERE id = of_set;
    RETURN name;
END
$$;
COMMENT ON FUNCTION aya.index_chunks(integer, text, integer) IS 'Build the index of a set''s vectors anew: hnsw, ivfflat into so many lists, or none. Until it is there the one before serves.';
REVOKE EXECUTE ON FUNCTION aya.index_chunks(integer, text, integer) FROM PUBLIC;

CREATE OR REPLACE FUNCTION aya.drop_chunks(of_set integer) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('DROP INDEX IF EXISTS public.%I', format('idx_chunks_vectors_%s', of_set));
    DELETE FROM aya.chunk_sets WHERE id = of_set AND NOT is_active;
END
$$;
COMMENT ON FUNCTION aya.drop_chunks(integer) IS 'Remove a set that is not searched, with its passages and its index.';
REVOKE EXECUTE ON FUNCTION aya.drop_chunks(integer) FROM PUBLIC;
