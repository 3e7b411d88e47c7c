-- Canonical JSON (RFC 8785) in the database itself, so that a hash can be recomputed where the document is.

CREATE OR REPLACE FUNCTION aya.surrogate(unit integer) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substring(int4send(((224 | (unit >> 12)) << 16) | ((128 | ((unit >> 6) & 63)) << 8) | (128 | (unit & 63))) FROM 2);
COMMENT ON FUNCTION aya.surrogate(integer) IS 'Half of a character beyond U+FFFF, a UTF-16 code unit, in three bytes as if it were a character.';

CREATE OR REPLACE FUNCTION aya.canonical_key(key text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- UTF-8 sorts as UTF-16 does, but for characters beyond U+FFFF; those are written as their two halves.
RETURN CASE WHEN key !~ '[\U00010000-\U0010FFFF]' THEN convert_to(key, 'UTF8') ELSE (
    SELECT string_agg(CASE WHEN a.code < 65536 THEN convert_to(c.character, 'UTF8')
        ELSE aya.surrogate(55296 + ((a.code - 65536) >> 10)) || aya.surrogate(56320 + ((a.code - 65536) & 1023)) END, ''::bytea ORDER BY c.n)
    FROM string_to_table(key, NULL) WITH ORDINALITY AS c (character, n)
    CROSS JOIN LATERAL (SELECT ascii(c.character)) AS a (code)
) END;
COMMENT ON FUNCTION aya.canonical_key(text) IS 'Bytes that sort as the UTF-16 code units of a key, which is the order of RFC 8785.';

CREATE OR REPLACE FUNCTION aya.canonical_number(number numeric) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
AS $$
DECLARE
    shortest text;
    digits text;
    point integer;
    said text;
BEGIN
    IF number = trunc(number) AND abs(number) <= 9007199254740991 THEN
        RETURN trunc(number)::text;
    END IF;
    -- The shortest digits that give the same double, as ECMAScript writes them.
    shortest := abs(number)::double precision::text;
    digits := replace(split_part(shortest, 'e', 1), '.', '');
    point := length(split_part(split_part(shortest, 'e', 1), '.', 1)) + coalesce(nullif(split_part(shortest, 'e', 2), '')::integer, 0);
    point := point - (length(digits) - length(ltrim(digits, '0')));
    digits := rtrim(ltrim(digits, '0'), '0');
    -- PostgreSQL leaves out digits that lie exactly half way to the next double; ECMAScript takes them. Only large integers lie there.
    IF number = trunc(number) AND length(rtrim(trunc(abs(number))::text, '0')) < length(digits) THEN
        digits := rtrim(trunc(abs(number))::text, '0');
        point := length(trunc(abs(number))::text);
    END IF;
    said := CASE WHEN number < 0 AND digits <> '' THEN '-' ELSE '' END || CASE
        WHEN digits = '' THEN '0'
        WHEN point BETWEEN length(digits) AND 21 THEN rpad(digits, point, '0')
        WHEN point BETWEEN 1 AND 21 THEN left(digits, point) || '.' || substr(digits, point + 1)
        WHEN point BETWEEN -5 AND 0 THEN '0.' || repeat('0', -point) || digits
        ELSE left(digits, 1) || CASE WHEN length(digits) > 1 THEN '.' || substr(digits, 2) ELSE '' END
            || 'e' || CASE WHEN point > 0 THEN '+' ELSE '' END || point - 1
    END;
    IF number = trunc(number) AND said::numeric <> number THEN
        RAISE EXCEPTION 'canonical JSON cannot say the integer % exactly', number
            USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Write it as text.';
    END IF;
    RETURN said;
END
$$;
COMMENT ON FUNCTION aya.canonical_number(numeric) IS 'A number as ECMAScript writes it. An integer that would become another is an error; fractions become the nearest double, as RFC 8785 has it.';

CREATE OR REPLACE FUNCTION aya.canonical_string(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- PostgreSQL's own JSON escapes exactly what RFC 8785 escapes.
RETURN to_json(value)::text;
COMMENT ON FUNCTION aya.canonical_string(text) IS 'A text as canonical JSON.';

CREATE OR REPLACE FUNCTION aya.canonical(value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    CASE jsonb_typeof(value)
        WHEN 'object' THEN
            RETURN '{' || coalesce((
                SELECT string_agg(aya.canonical_string(e.key) || ':' || CASE jsonb_typeof(e.value)
                    WHEN 'string' THEN aya.canonical_string(e.value #>> '{}') WHEN 'boolean' THEN e.value::text WHEN 'null' THEN 'null'
                    ELSE aya.canonical(e.value) END, ',' ORDER BY aya.canonical_key(e.key))
                FROM jsonb_each(value) e
            ), '') || '}';
        WHEN 'array' THEN
            RETURN '[' || coalesce((
                SELECT string_agg(aya.canonical(e.value), ',' ORDER BY e.n) FROM jsonb_array_elements(value) WITH ORDINALITY AS e (value, n)
            ), '') || ']';
        WHEN 'string' THEN RETURN aya.canonical_string(value #>> '{}');
        WHEN 'number' THEN RETURN aya.canonical_number((value #>> '{}')::numeric);
        ELSE RETURN value::text;
    END CASE;
END
$$;
COMMENT ON FUNCTION aya.canonical(jsonb) IS 'A document as RFC 8785 canonical JSON.';

CREATE OR REPLACE FUNCTION aya.sha256_hex(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(sha256(convert_to(value, 'UTF8')), 'hex');
COMMENT ON FUNCTION aya.sha256_hex(text) IS 'SHA-256, in hex, of a text in UTF-8.';

CREATE OR REPLACE FUNCTION aya.canonical_hash(value jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN aya.sha256_hex(aya.canonical(value));
COMMENT ON FUNCTION aya.canonical_hash(jsonb) IS 'SHA-256, in hex, of a document as canonical JSON in UTF-8.';
