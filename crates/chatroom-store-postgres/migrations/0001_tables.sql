-- Every key begins with the app. Texts that callers make up are bytes, because text in PostgreSQL holds no NUL.
-- Times are milliseconds since 1970.

CREATE TABLE apps (
    app uuid NOT NULL,
    org text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    client_id bytea NOT NULL,
    secret bytea NOT NULL,
    generation bigint NOT NULL,
    signing_key bytea NOT NULL,
    origin smallint NOT NULL,
    state smallint NOT NULL,
    created bigint NOT NULL,
    -- Whether somebody is told of its events.
    has_rules boolean NOT NULL DEFAULT false,
    CONSTRAINT pk_apps PRIMARY KEY (app)
);
-- The key of an app, while it is not deleted (3).
CREATE INDEX ix_apps_told ON apps (app) WHERE has_rules;
CREATE UNIQUE INDEX ix_apps_key ON apps (org, name) WHERE state <> 3;

-- Grows with every change of an app or a rule: nodes look here whether they are up to date.
CREATE TABLE registry (
    one boolean NOT NULL DEFAULT true CHECK (one),
    version bigint NOT NULL,
    CONSTRAINT pk_registry PRIMARY KEY (one)
);
INSERT INTO registry (version) VALUES (1);

CREATE TABLE users (
    app uuid NOT NULL,
    id bigint NOT NULL,
    name text COLLATE "C" NOT NULL,
    nickname bytea,
    deleted boolean NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (app, id)
);
CREATE UNIQUE INDEX ix_users_name ON users (app, name) WHERE NOT deleted;

CREATE TABLE rooms (
    app uuid NOT NULL,
    id bigint NOT NULL,
    owner bigint NOT NULL,
    owner_name text COLLATE "C" NOT NULL,
    name bytea NOT NULL,
    description bytea NOT NULL,
    max_users bigint NOT NULL,
    custom bytea NOT NULL,
    created bigint NOT NULL,
    dissolved bigint,
    CONSTRAINT pk_rooms PRIMARY KEY (app, id)
);
CREATE INDEX ix_rooms_owner ON rooms (app, owner) WHERE dissolved IS NULL;

-- Where a room's log ends: the row that guards the room, its memberships and its log. It is narrow and has room
-- beside it, so that writing it touches no index.
CREATE TABLE logs (
    app uuid NOT NULL,
    room bigint NOT NULL,
    seq bigint NOT NULL,
    members bigint NOT NULL,
    at bigint NOT NULL,
    -- Everything up to here was noticed by who delivers; the cursors say how far each rule got.
    noticed bigint NOT NULL,
    -- Whether there is something behind that, for somebody.
    news boolean NOT NULL,
    CONSTRAINT pk_logs PRIMARY KEY (app, room)
) WITH (fillfactor = 60);
CREATE INDEX ix_logs_news ON logs (app, room) WHERE news;

CREATE TABLE memberships (
    app uuid NOT NULL,
    room bigint NOT NULL,
    member bigint NOT NULL,
    joined bigint NOT NULL,
    CONSTRAINT pk_memberships PRIMARY KEY (app, room, member)
);
CREATE INDEX ix_memberships_joined ON memberships (app, room, joined);
CREATE INDEX ix_memberships_member ON memberships (app, member, room);

CREATE TABLE events (
    app uuid NOT NULL,
    room bigint NOT NULL,
    seq bigint NOT NULL,
    id uuid NOT NULL,
    at bigint NOT NULL,
    members bigint NOT NULL,
    kind smallint NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (app, room, seq)
);
CREATE INDEX ix_events_at ON events (app, at);

-- What is left for the sweeper: 1 a room, 2 a user, 3 the app itself.
CREATE TABLE sweeps (
    app uuid NOT NULL,
    kind smallint NOT NULL,
    subject bigint NOT NULL,
    CONSTRAINT pk_sweeps PRIMARY KEY (app, kind, subject)
);

-- Commits that wrote no event, so that who lost the answer to one can find out.
CREATE TABLE marks (
    app uuid NOT NULL,
    operation uuid NOT NULL,
    made timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_marks PRIMARY KEY (app, operation)
);

CREATE TABLE rules (
    app uuid NOT NULL,
    id uuid NOT NULL,
    name text COLLATE "C" NOT NULL,
    url text NOT NULL,
    secret bytea NOT NULL,
    outgoing_secret bytea,
    outgoing_until bigint,
    state smallint NOT NULL,
    events text[],
    rooms bigint[],
    origin smallint NOT NULL,
    created bigint NOT NULL,
    CONSTRAINT pk_rules PRIMARY KEY (app, id)
);

-- How far a room's log was told to a rule, while it is behind.
CREATE TABLE cursors (
    app uuid NOT NULL,
    rule uuid NOT NULL,
    room bigint NOT NULL,
    after bigint NOT NULL,
    last bigint NOT NULL,
    -- Runs that are told again: first, last, first, last, …
    again bigint[] NOT NULL,
    failures bigint NOT NULL,
    failing_for bigint NOT NULL,
    due bigint NOT NULL,
    behind_since bigint NOT NULL,
    CONSTRAINT pk_cursors PRIMARY KEY (app, rule, room)
);

CREATE TABLE dead_letters (
    app uuid NOT NULL,
    rule uuid NOT NULL,
    room bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    -- Without a reason: retention took it.
    why bytea,
    at bigint NOT NULL,
    CONSTRAINT pk_dead_letters PRIMARY KEY (app, rule, room, first)
);

-- Which node delivers the events of an app, and until when if it is not heard of again.
CREATE TABLE couriers (
    app uuid NOT NULL,
    token uuid NOT NULL,
    until timestamptz NOT NULL,
    CONSTRAINT pk_couriers PRIMARY KEY (app)
);

-- How rules are doing, as the node that delivers says.
CREATE TABLE rule_states (
    app uuid NOT NULL,
    rule uuid NOT NULL,
    state bytea NOT NULL,
    CONSTRAINT pk_rule_states PRIMARY KEY (app, rule)
);

-- What is to be told again, until the node that delivers has noted it.
CREATE TABLE replays (
    app uuid NOT NULL,
    rule uuid NOT NULL,
    id uuid NOT NULL,
    rooms bigint[] NOT NULL,
    firsts bigint[] NOT NULL,
    lasts bigint[] NOT NULL,
    made timestamptz NOT NULL DEFAULT now(),
    events bigint,
    CONSTRAINT pk_replays PRIMARY KEY (app, rule, id)
);
