-- How near the nearest passages of a set are; its number and its dimensions are written in, as the index has them.
SELECT c.embedding::halfvec(DIMENSIONS) <=> %(vector)s::halfvec(DIMENSIONS) AS distance FROM chunks c WHERE c.set_id = SET_ID
ORDER BY c.embedding::halfvec(DIMENSIONS) <=> %(vector)s::halfvec(DIMENSIONS) LIMIT %(most)s
