-- How far an import came that is not finished: of which export, and how many things of it are here. No node serves the
-- database while it is there.
ALTER TABLE registry ADD COLUMN import_export uuid, ADD COLUMN import_taken bigint;
