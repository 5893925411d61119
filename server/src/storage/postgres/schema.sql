-- A tenant's tables. Keys are bytes, so that they sort as bytes under any locale of the database.

CREATE TABLE format (version integer NOT NULL);
INSERT INTO format VALUES (1);

-- `session` rises when a writer connects again: what its lost connection may still deliver is refused.
CREATE TABLE writer (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch bigint NOT NULL,
    session bigint NOT NULL
);
INSERT INTO writer (epoch, session) VALUES (0, 0);

CREATE TABLE journal (
    sequence bigint PRIMARY KEY,
    at bigint NOT NULL,
    input bytea NOT NULL,
    sum bigint NOT NULL
);

CREATE TABLE document (
    kind text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE index_entry (
    kind text COLLATE "C" NOT NULL,
    idx text COLLATE "C" NOT NULL,
    key bytea NOT NULL,
    id bigint NOT NULL,
    PRIMARY KEY (kind, idx, key, id)
);
CREATE INDEX index_entry_of_document ON index_entry (kind, id);

CREATE TABLE snapshot (
    sequence bigint PRIMARY KEY,
    entry_sum bigint NOT NULL,
    length bigint NOT NULL,
    sum bigint NOT NULL
);

CREATE TABLE snapshot_part (
    sequence bigint NOT NULL,
    part integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (sequence, part)
);
ALTER TABLE snapshot_part ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- One batch in one statement, so in one transaction and one round trip. Gives ('done' | 'fenced' | 'session' | 'sequence',
-- what was seen); nothing is written unless done.
CREATE FUNCTION append(
    ours bigint, our_session bigint,
    sequences bigint[], ats bigint[], inputs bytea[], sums bigint[],
    put_kinds text[], put_ids bigint[], put_bodies text[],
    gone_kinds text[], gone_ids bigint[],
    key_kinds text[], key_indexes text[], keys bytea[], key_ids bigint[],
    OUT outcome text, OUT seen bigint
) LANGUAGE plpgsql AS $append$
#variable_conflict use_column
DECLARE
    live_session bigint;
BEGIN
    SELECT w.epoch, w.session INTO STRICT seen, live_session FROM writer w FOR UPDATE;
    IF seen <> ours THEN
        outcome := 'fenced';
        RETURN;
    END IF;
    IF live_session <> our_session THEN
        outcome := 'session';
        RETURN;
    END IF;
    IF cardinality(sequences) > 0 THEN
        SELECT coalesce(max(j.sequence), 0) INTO seen FROM journal j;
        IF sequences[1] <> seen + 1 THEN
            outcome := 'sequence';
            RETURN;
        END IF;
        INSERT INTO journal (sequence, at, input, sum) SELECT * FROM unnest(sequences, ats, inputs, sums);
    END IF;
    IF cardinality(gone_ids) > 0 THEN
        DELETE FROM document d USING unnest(gone_kinds, gone_ids) AS g (kind, id)
        WHERE d.kind = g.kind AND d.id = g.id;
        DELETE FROM index_entry e USING unnest(gone_kinds, gone_ids) AS g (kind, id)
        WHERE e.kind = g.kind AND e.id = g.id;
    END IF;
    IF cardinality(put_ids) > 0 THEN
        INSERT INTO document (kind, id, body) SELECT * FROM unnest(put_kinds, put_ids, put_bodies)
        ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body;
        -- Only what is different: most changes of a document move it in no index.
        DELETE FROM index_entry e USING unnest(put_kinds, put_ids) AS p (kind, id)
        WHERE e.kind = p.kind AND e.id = p.id
            AND (e.kind, e.idx, e.key, e.id) NOT IN (SELECT * FROM unnest(key_kinds, key_indexes, keys, key_ids));
        INSERT INTO index_entry (kind, idx, key, id) SELECT * FROM unnest(key_kinds, key_indexes, keys, key_ids)
        ON CONFLICT DO NOTHING;
    END IF;
    outcome := 'done';
END
$append$;
