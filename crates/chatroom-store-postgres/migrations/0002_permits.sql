-- Which nodes are taken for alive. Each changes its beat while it is. Of no app.
CREATE TABLE nodes (
    node uuid NOT NULL,
    beat bigint NOT NULL,
    CONSTRAINT pk_nodes PRIMARY KEY (node)
) WITH (fillfactor = 50);

-- Who holds the slots of a limit of an app, and which write of which node says so.
CREATE TABLE permits (
    app uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    writer uuid NOT NULL,
    count bigint NOT NULL,
    holders bytea NOT NULL,
    written timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_permits PRIMARY KEY (app, name)
) WITH (fillfactor = 50);
