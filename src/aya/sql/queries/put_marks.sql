-- Promise that these sections are recorded as they are. Done before the rows are written: whoever else changes them waits for us, and then
-- takes the promise back.
INSERT INTO aya.section_marks (node_id, section, mark)
SELECT m.node_id, m.section, decode(m.mark, 'hex')
FROM json_to_recordset(%(marks)s::json) AS m (node_id integer, section text, mark text)
ORDER BY m.node_id, m.section
ON CONFLICT (node_id, section) DO UPDATE SET mark = excluded.mark, marked_at = now()
