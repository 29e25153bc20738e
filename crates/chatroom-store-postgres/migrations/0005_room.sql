-- PostgreSQL cleans up a page that has less than a tenth of its room left whenever somebody looks at it, and removals
-- look at another page each: in full pages that was a tenth of a removal's work. What is deleted waits for VACUUM
-- now, which is to come for the indexes anyway.
ALTER TABLE memberships SET (fillfactor = 88);
