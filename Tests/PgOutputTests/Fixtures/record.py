#!/usr/bin/env python3
"""Records pgoutput messages of a throwaway PostgreSQL into the .bin files beside this script.

Usage: record.py [BINDIR]      (as root it runs the server as user postgres)
A file is a sequence of: u32 big-endian length of the message, u64 big-endian LSN (walStart), the message itself.
Each file starts with the relations it needs, so it can be decoded alone.
"""
import os, shutil, struct, subprocess, sys, tempfile

BIN = sys.argv[1] if len(sys.argv) > 1 else "/usr/lib/postgresql/15/bin"
HERE = os.path.dirname(os.path.abspath(__file__))
AS = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []

SETUP = r'''
CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s "fine"');
CREATE DOMAIN price AS numeric(6,3) CHECK (VALUE >= 0);
CREATE TYPE pair AS (x int, y text);
CREATE TABLE orders(id bigint PRIMARY KEY, customer int NOT NULL, status text, amount numeric(12,2), note text, created timestamptz NOT NULL, active bool);
CREATE TABLE pk_default(a int, b text, v text, PRIMARY KEY (b, a));
CREATE TABLE pk_full(id int PRIMARY KEY, v text, n int); ALTER TABLE pk_full REPLICA IDENTITY FULL;
CREATE TABLE no_pk_full(a int, b text); ALTER TABLE no_pk_full REPLICA IDENTITY FULL;
CREATE TABLE by_index(id int PRIMARY KEY, code text NOT NULL, v text); CREATE UNIQUE INDEX by_index_code ON by_index(code); ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_code;
CREATE TABLE nothing(id int PRIMARY KEY, v text); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE no_pk(a int, b text);
CREATE TABLE toasted(id int PRIMARY KEY, v int, big text); ALTER TABLE toasted ALTER big SET STORAGE EXTERNAL;
CREATE TABLE toasted_full(id int PRIMARY KEY, v int, big text); ALTER TABLE toasted_full ALTER big SET STORAGE EXTERNAL; ALTER TABLE toasted_full REPLICA IDENTITY FULL;
CREATE TABLE kinds(id int PRIMARY KEY, i2 int2, i8 int8, n numeric, n2 numeric(10,2), f4 float4, f8 float8, b bool, c char(5), vc varchar(20), t text, by bytea,
  d date, t3 time(3), t6 time(6), tz timetz, ts3 timestamp(3), ts timestamp, tstz timestamptz(2), iv interval, u uuid, j json, jb jsonb, x xml, ip inet, mac macaddr,
  b1 bit(1), b9 bit(9), vb varbit, m money, r int4range, e mood, ea mood[], dom price, cmp pair, p point, ia int[], g int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TABLE a1(id int PRIMARY KEY); CREATE TABLE b1(id int PRIMARY KEY REFERENCES a1); CREATE TABLE n1(id int PRIMARY KEY REFERENCES a1);
CREATE SCHEMA "Sch""ema"; CREATE TABLE "Sch""ema"."Order Items"("Id ""x""" int PRIMARY KEY, "größe" text, "select" text);
CREATE TABLE parted(id int, region text, v int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE parted_eu PARTITION OF parted FOR VALUES IN ('EU'); CREATE TABLE parted_us PARTITION OF parted FOR VALUES IN ('US');
CREATE TABLE shape(id int PRIMARY KEY, a int, b int);
CREATE TABLE filtered(id int, region text, v int, secret text, PRIMARY KEY (id, region));
CREATE TABLE "empty"();
CREATE PUBLICATION pub FOR TABLE orders, pk_default, pk_full, no_pk_full, by_index, toasted, toasted_full, kinds, a1, b1, "Sch""ema"."Order Items", parted, shape,
  filtered (id, region, v) WHERE (region = 'EU') WITH (publish_via_partition_root = true);
CREATE PUBLICATION pub_insert FOR TABLE nothing, no_pk, "empty" WITH (publish = 'insert, truncate');
SELECT pg_replication_origin_create('up1');
'''
ROW = """1, 9223372036854775807, 123456789012345678901234567890.5, -1.25, 1.5, 0.1::float8+0.2::float8, true, 'ab', 'v', E'tab\\t"quote"\\\\ \\u00e9\\u4e16\\U0001F600', '\\x00ff5c27',
 '2024-02-01', '12:34:56.789', '23:59:59.123456', '10:00:00+02', '2024-02-01 10:00:00.123', '4713-01-01 00:00:00 BC', '1800-01-01 00:00:00+00', '1 year 2 mons -3 days 04:05:06.789',
 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"n": 1}', '{"n":12345678901234567890,"f":0.10}', '<a/>', '10.0.0.1/8', '08:00:2b:01:02:03', B'1', B'101010101', B'11', '$1,234.50', '[1,5)',
 'it''s "fine"', '{sad,"it''s \\"fine\\""}', 1.125, '(1,"a,b")', '(1.5,-2)', '{{1,NULL},{3,4}}'"""
NULLS = ", ".join(["NULL"] * 36)

SCENARIOS = {
    "insert_update_delete": ["""
BEGIN; INSERT INTO orders VALUES (1, 7, 'new', 1.50, 'first', '2026-01-31 10:00:00+00', true), (2, 14, NULL, NULL, NULL, '2026-01-31 10:00:00.123456+00', NULL); COMMIT;
UPDATE orders SET status = 'paid' WHERE id = 1;
UPDATE orders SET id = 3 WHERE id = 2;
DELETE FROM orders WHERE id = 1;
BEGIN; INSERT INTO orders VALUES (9, 9, '', 0, '', now(), false); ROLLBACK;
BEGIN; INSERT INTO orders VALUES (10, 1, 'a', 0, '', '2026-01-31', false); SAVEPOINT s; INSERT INTO orders VALUES (11, 1, 'b', 0, '', '2026-01-31', false); ROLLBACK TO s; INSERT INTO orders VALUES (12, 1, 'c', 0, '', '2026-01-31', false); COMMIT;
BEGIN; INSERT INTO orders VALUES (13, 1, 'x', 0, '', '2026-01-31', false); INSERT INTO pk_default VALUES (1, 'k', 'v'); UPDATE orders SET note = 'y' WHERE id = 13; DELETE FROM pk_default; COMMIT;
"""],
    "replica_identities": ["""
INSERT INTO pk_default VALUES (1, 'k', 'v'); UPDATE pk_default SET v = NULL; UPDATE pk_default SET a = 2; DELETE FROM pk_default;
INSERT INTO pk_full VALUES (1, 'v', 5), (2, NULL, NULL); UPDATE pk_full SET v = 'w'; UPDATE pk_full SET id = 12 WHERE id = 2; DELETE FROM pk_full;
INSERT INTO no_pk_full VALUES (1, 'b'), (NULL, NULL); UPDATE no_pk_full SET b = 'c'; DELETE FROM no_pk_full;
INSERT INTO by_index VALUES (1, 'c1', 'v'); UPDATE by_index SET v = 'w'; UPDATE by_index SET id = 2; UPDATE by_index SET code = 'c2'; DELETE FROM by_index;
INSERT INTO nothing VALUES (1, 'v'); INSERT INTO no_pk VALUES (1, 'b'); INSERT INTO "empty" DEFAULT VALUES;
"""],
    "unchanged_toast": ["""
INSERT INTO toasted SELECT 1, 1, string_agg(md5(i::text), '') FROM generate_series(1, 300) i; UPDATE toasted SET v = 2; UPDATE toasted SET id = 5; UPDATE toasted SET big = 'short'; DELETE FROM toasted;
INSERT INTO toasted_full SELECT 1, 1, string_agg(md5(i::text), '') FROM generate_series(1, 300) i; UPDATE toasted_full SET v = 2; UPDATE toasted_full SET id = 5; DELETE FROM toasted_full;
"""],
    "types": [f"INSERT INTO kinds VALUES (1, {ROW}); INSERT INTO kinds VALUES (2, {NULLS}); UPDATE kinds SET e = 'sad', x = NULL WHERE id = 1; DELETE FROM kinds;"],
    "truncate": ["INSERT INTO a1 VALUES (1); INSERT INTO b1 VALUES (1); TRUNCATE a1 RESTART IDENTITY CASCADE; INSERT INTO a1 VALUES (2); TRUNCATE orders; TRUNCATE a1, b1, orders, n1;"],
    "messages_and_origin": [r"""
SELECT pg_logical_emit_message(false, 'outside', 'not transactional');
BEGIN; SELECT pg_logical_emit_message(true, 'inside', '\x00ff00'::bytea); INSERT INTO orders VALUES (20, 1, 'm', 0, '', '2026-01-31', true); SELECT pg_logical_emit_message(true, '', ''); COMMIT;
SELECT pg_logical_emit_message(true, 'alone', 'transactional'); SELECT pg_logical_emit_message(false, E'pre\u00e9', repeat('x', 3000));
SELECT pg_replication_origin_session_setup('up1');
BEGIN; SELECT pg_replication_origin_xact_setup('0/ABCDEF', '2026-01-01 00:00:00+00'); INSERT INTO orders VALUES (21, 1, 'o', 0, '', '2026-01-31', true); COMMIT;
SELECT pg_replication_origin_session_reset();
"""],
    "names_and_partitions": ["""
INSERT INTO "Sch""ema"."Order Items" VALUES (1, 'a', 'b'); UPDATE "Sch""ema"."Order Items" SET "select" = NULL; DELETE FROM "Sch""ema"."Order Items";
INSERT INTO parted VALUES (1, 'EU', 1), (2, 'US', 2); UPDATE parted SET v = 3 WHERE id = 1; UPDATE parted SET region = 'US' WHERE id = 1; DELETE FROM parted WHERE id = 2; TRUNCATE parted;
INSERT INTO filtered VALUES (1, 'EU', 1, 's'), (2, 'US', 1, 's'); UPDATE filtered SET region = 'US' WHERE id = 1; UPDATE filtered SET region = 'EU' WHERE id = 2; UPDATE filtered SET v = 5 WHERE id = 2; DELETE FROM filtered;
"""],
    "shape_changes": ["""
INSERT INTO shape VALUES (1, 10, 20);
BEGIN; ALTER TABLE shape RENAME a TO tmp; ALTER TABLE shape RENAME b TO a; ALTER TABLE shape RENAME tmp TO b; INSERT INTO shape VALUES (2, 30, 40); COMMIT;
ALTER TABLE shape DROP COLUMN b; INSERT INTO shape VALUES (3, 50); ALTER TABLE shape ADD COLUMN c text DEFAULT 'z'; INSERT INTO shape VALUES (4, 60, 'q');
ALTER TABLE shape ALTER a TYPE numeric(10,3); INSERT INTO shape VALUES (5, 1.5, 'n'); ALTER TABLE shape REPLICA IDENTITY FULL; UPDATE shape SET c = NULL WHERE id = 5; ALTER TABLE shape RENAME TO shape2; DELETE FROM shape2 WHERE id = 5;
BEGIN; DROP TABLE shape2; CREATE TABLE shape(id text PRIMARY KEY, other bool); ALTER PUBLICATION pub ADD TABLE shape; INSERT INTO shape VALUES ('y', false); COMMIT;
"""],
    "many_rows": ["INSERT INTO orders SELECT i, (i%100000)*7, (array['new','paid','shipped'])[1+i%3], (i%100000)/100.0, 'order note number '||i, '2026-01-31 10:00:00.123456+00', i%2=0 FROM generate_series(1000, 1199) i;"],
}
# The same input as `types`, asked for in binary form.
BINARY = {"types": "types_binary"}


def main():
    top = tempfile.mkdtemp(prefix="record-")
    os.chmod(top, 0o755)
    data, sock = os.path.join(top, "data"), os.path.join(top, "s")
    for d in (data, sock):
        os.mkdir(d)
        if AS: shutil.chown(d, "postgres", "postgres")
    run = lambda *a, **k: subprocess.run([*AS, *a], check=True, stdout=subprocess.DEVNULL, cwd="/", **k)
    run(f"{BIN}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N")
    run(f"{BIN}/pg_ctl", "-D", data, "-w", "-l", f"{sock}/log", "-o", f"-k {sock} -c listen_addresses= -c wal_level=logical -c fsync=off -c timezone=UTC", "start")

    def psql(sql, *more):
        return subprocess.run(["psql", "-X", "-v", "ON_ERROR_STOP=1", "-h", sock, "-U", "postgres", "-qAt", *more], input=sql, text=True, check=True, stdout=subprocess.PIPE).stdout

    try:
        psql(SETUP)
        psql("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
        for name, (sql,) in SCENARIOS.items():
            psql(sql)
            call = "SELECT lsn - '0/0'::pg_lsn, encode(data, 'hex') FROM pg_logical_slot_%s_binary_changes('s', NULL, NULL, 'proto_version', '1', 'publication_names', 'pub,pub_insert', 'messages', 'true', 'binary', '%s')"
            reads = [(name, call % ("get", "false"))]
            if name in BINARY: reads.insert(0, (BINARY[name], call % ("peek", "true")))
            for target, query in reads:
                counts = {}
                with open(os.path.join(HERE, target + ".bin"), "wb") as out:
                    for line in psql(query).splitlines():
                        lsn, hexed = line.split("|")
                        message = bytes.fromhex(hexed)
                        out.write(struct.pack(">IQ", len(message), int(lsn)) + message)
                        counts[chr(message[0])] = counts.get(chr(message[0]), 0) + 1
                print(target, counts)
    finally:
        run(f"{BIN}/pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(top)


main()
