-- When the oldest event of a room's log was made, or earlier; none while the log is empty. Retention finds rooms by it,
-- so that events need no index by their time. Writing it touches an index only when the log was empty before.
-- A node of the version before does not write it: what such a node adds to an empty log is trimmed when a newer one has
-- added something.
ALTER TABLE logs ADD COLUMN oldest bigint;
UPDATE logs l SET oldest = (
    SELECT e.at FROM events e WHERE e.app = l.app AND e.room = l.room ORDER BY e.app, e.room, e.seq LIMIT 1
);
CREATE INDEX ix_logs_oldest ON logs (app, oldest) WHERE oldest IS NOT NULL;
DROP INDEX ix_events_at;
