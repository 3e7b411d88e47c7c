-- The files of a node of which anything is recorded, to look at them again.
SELECT d.file_path FROM documentation_files d WHERE d.is_latest AND d.node_name = %(node)s ORDER BY d.file_path
