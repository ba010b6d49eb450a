-- Logins write here. Rather fail and be repeated than make them wait behind a long read.
SET LOCAL lock_timeout = '5s';--> statement-breakpoint
LOCK TABLE "events", "event_queue" IN ACCESS EXCLUSIVE MODE;--> statement-breakpoint
CREATE TABLE "event_keys" (
	"key" text PRIMARY KEY NOT NULL,
	"event_id" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
-- An activity is repeated within minutes, a reset workflow within Temporal's retention of 30 days.
INSERT INTO "event_keys" SELECT "key", "id", "at" FROM "events" WHERE "at" > now() - interval '40 days';--> statement-breakpoint
CREATE INDEX "event_keys_by_time" ON "event_keys" USING brin ("at");--> statement-breakpoint
CREATE TABLE "event_chain_queue" (
	"event_id" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "event_chain_queue_event_id_at_pk" PRIMARY KEY("event_id","at")
);
--> statement-breakpoint
-- The workers chain the events of earlier versions too, behind the writes.
INSERT INTO "event_chain_queue" SELECT "id", "at" FROM "events";--> statement-breakpoint
CREATE TABLE "event_chain" (
	"account_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"event_id" bigint NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "event_chain_account_id_seq_pk" PRIMARY KEY("account_id","seq"),
	CONSTRAINT "event_chain_seq" CHECK ("event_chain"."seq" between 1 and 9007199254740991)
);
--> statement-breakpoint
CREATE UNIQUE INDEX "event_chain_by_event" ON "event_chain" USING btree ("event_id","at");--> statement-breakpoint
CREATE INDEX "event_chain_by_time" ON "event_chain" USING brin ("at");--> statement-breakpoint
CREATE TABLE "event_chain_dropped" (
	"account_id" text NOT NULL,
	"first_seq" bigint NOT NULL,
	"last_seq" bigint NOT NULL,
	"last_hash" text NOT NULL,
	CONSTRAINT "event_chain_dropped_account_id_last_seq_pk" PRIMARY KEY("account_id","last_seq")
);
--> statement-breakpoint
CREATE TABLE "event_partitions" (
	"name" text PRIMARY KEY NOT NULL,
	"from_at" timestamp (3) with time zone,
	"to_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "event_retention" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"months" integer NOT NULL,
	CONSTRAINT "event_retention_one" CHECK ("event_retention"."id" = 1 and "event_retention"."months" >= 3)
);
--> statement-breakpoint
ALTER TABLE "event_queue" ADD COLUMN "at" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "event_queue" SET "at" = "events"."at" FROM "events" WHERE "events"."id" = "event_queue"."event_id";--> statement-breakpoint
DELETE FROM "event_queue" WHERE "at" IS NULL;--> statement-breakpoint
ALTER TABLE "event_queue" ALTER COLUMN "at" SET NOT NULL;--> statement-breakpoint
DROP TRIGGER "events_append_only" ON "events";--> statement-breakpoint
DROP TRIGGER "events_queue" ON "events";--> statement-breakpoint
ALTER TABLE "events" DROP CONSTRAINT "events_key_unique", DROP CONSTRAINT "events_pkey";--> statement-breakpoint
-- Partitions have no identity columns before PostgreSQL 17, so the sequence becomes a default.
DO $$
DECLARE
	"used" bigint := nextval('"events_id_seq"');
BEGIN
	ALTER TABLE "events" ALTER COLUMN "id" DROP IDENTITY;
	CREATE SEQUENCE "events_id_seq";
	PERFORM setval('"events_id_seq"', "used");
END
$$;--> statement-breakpoint
ALTER TABLE "events" ALTER COLUMN "id" SET DEFAULT nextval('"events_id_seq"');--> statement-breakpoint
ALTER TABLE "events" RENAME TO "events_before";--> statement-breakpoint
ALTER INDEX "events_by_user" RENAME TO "events_before_by_user";--> statement-breakpoint
ALTER INDEX "events_by_account" RENAME TO "events_before_by_account";--> statement-breakpoint
CREATE TABLE "events" (
	LIKE "events_before" INCLUDING DEFAULTS,
	CONSTRAINT "events_id_at_pk" PRIMARY KEY("id","at")
) PARTITION BY RANGE ("at");--> statement-breakpoint
ALTER SEQUENCE "events_id_seq" OWNED BY "events"."id";--> statement-breakpoint
CREATE INDEX "events_by_user" ON "events" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "events_by_account" ON "events" USING btree ("account_id","id");--> statement-breakpoint
CREATE INDEX "events_by_type" ON "events" USING btree ("type","at");--> statement-breakpoint
CREATE INDEX "events_by_time" ON "events" USING brin ("at");--> statement-breakpoint
CREATE OR REPLACE FUNCTION "events_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'events are append-only';
END
$$;--> statement-breakpoint
-- Each partition gets a copy of a row's trigger, so they hold there too. Truncate has no rows.
CREATE TRIGGER "events_append_only" BEFORE UPDATE OR DELETE ON "events"
	FOR EACH ROW EXECUTE FUNCTION "events_append_only"();--> statement-breakpoint
CREATE TRIGGER "events_no_truncate" BEFORE TRUNCATE ON "events"
	FOR EACH STATEMENT EXECUTE FUNCTION "events_append_only"();--> statement-breakpoint
CREATE OR REPLACE FUNCTION "events_queue"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	-- Without a real time it could be in no month and in no chain, and would stop both for all.
	IF NOT isfinite(NEW."at") THEN
		RAISE EXCEPTION 'an event has a time';
	END IF;
	INSERT INTO "event_queue" ("event_id", "at") VALUES (NEW."id", NEW."at");
	INSERT INTO "event_chain_queue" ("event_id", "at") VALUES (NEW."id", NEW."at");
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "events_queue" AFTER INSERT ON "events"
	FOR EACH ROW EXECUTE FUNCTION "events_queue"();--> statement-breakpoint
-- A link may go only with the events of its month, which are noted before.
CREATE FUNCTION "event_chain_append_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM "gone" WHERE NOT EXISTS (
		SELECT FROM "event_chain_dropped" AS "dropped"
		WHERE "dropped"."account_id" = "gone"."account_id"
			AND "gone"."seq" BETWEEN "dropped"."first_seq" AND "dropped"."last_seq"
	)) THEN
		RAISE EXCEPTION 'the chain of events is append-only';
	END IF;
	RETURN NULL;
END
$$;--> statement-breakpoint
CREATE TRIGGER "event_chain_no_delete" AFTER DELETE ON "event_chain" REFERENCING OLD TABLE AS "gone"
	FOR EACH STATEMENT EXECUTE FUNCTION "event_chain_append_only"();--> statement-breakpoint
CREATE TRIGGER "event_chain_no_update" BEFORE UPDATE ON "event_chain"
	FOR EACH ROW EXECUTE FUNCTION "events_append_only"();--> statement-breakpoint
CREATE TRIGGER "event_chain_no_truncate" BEFORE TRUNCATE ON "event_chain"
	FOR EACH STATEMENT EXECUTE FUNCTION "events_append_only"();--> statement-breakpoint
CREATE TRIGGER "event_chain_dropped_append_only" BEFORE UPDATE OR DELETE ON "event_chain_dropped"
	FOR EACH ROW EXECUTE FUNCTION "events_append_only"();--> statement-breakpoint
-- Adds a partition. To attach it, PostgreSQL locks the default partition and reads it, which is empty
-- as a rule. Queries of events wait behind that lock, at most the callers' lock_timeout and a moment.
-- Not for callers outside.
CREATE FUNCTION "events_add_partition"("partition" text, "from_at" timestamptz, "to_at" timestamptz)
RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS)', "partition");
	EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%L)', "partition",
		coalesce(quote_literal("from_at"), 'MINVALUE'), "to_at");
	EXECUTE format('CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON %I
		FOR EACH STATEMENT EXECUTE FUNCTION events_append_only()', "partition");
	INSERT INTO "event_partitions" VALUES ("partition", "from_at", "to_at");
END
$$;--> statement-breakpoint
-- Makes the partitions of the months until so many after this one; answers how many it made.
-- If it is late, events wait in the default partition: that becomes the partition of its months.
CREATE FUNCTION "events_make_months"("ahead" integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
	"made" integer := 0;
	"begin_at" timestamptz;
	"end_at" timestamptz;
	"late" timestamptz;
BEGIN
	PERFORM pg_advisory_xact_lock(7236302);
	SELECT max("to_at") INTO "begin_at" FROM "event_partitions";
	IF EXISTS (SELECT FROM "events_default") THEN
		LOCK TABLE "events" IN ACCESS EXCLUSIVE MODE;
		SELECT max("at") INTO "late" FROM "events_default";
		"end_at" := date_trunc('month', "late") + interval '1 month';
		ALTER TABLE "events" DETACH PARTITION "events_default";
		EXECUTE format('ALTER TABLE events_default RENAME TO %I', to_char("begin_at", '"events_"YYYY_MM'));
		EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
			to_char("begin_at", '"events_"YYYY_MM'), "begin_at", "end_at");
		INSERT INTO "event_partitions" VALUES (to_char("begin_at", '"events_"YYYY_MM'), "begin_at", "end_at");
		CREATE TABLE "events_default" PARTITION OF "events" DEFAULT;
		CREATE TRIGGER "events_no_truncate" BEFORE TRUNCATE ON "events_default"
			FOR EACH STATEMENT EXECUTE FUNCTION "events_append_only"();
		"begin_at" := "end_at";
		"made" := 1;
	END IF;
	WHILE "begin_at" <= date_trunc('month', now()) + least("ahead", 24) * interval '1 month' LOOP
		"end_at" := "begin_at" + interval '1 month';
		PERFORM "events_add_partition"(to_char("begin_at", '"events_"YYYY_MM'), "begin_at", "end_at");
		"begin_at" := "end_at";
		"made" := "made" + 1;
	END LOOP;
	RETURN "made";
END
$$;--> statement-breakpoint
-- The partitions whose time is over, oldest first. The one of everything before always exists, so
-- it is due only if it has rows.
CREATE FUNCTION "events_due"() RETURNS SETOF "event_partitions"
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
	SELECT "event_partitions".* FROM "event_partitions", "event_retention"
	WHERE "to_at" <= date_trunc('month', now()) - "months" * interval '1 month'
		AND ("name" <> 'events_before' OR EXISTS (SELECT FROM "events_before"))
	ORDER BY "to_at"
$$;--> statement-breakpoint
-- Drops the partition whose time is over, with its links; of these the ranges stay. Refuses if a
-- newer one is asked for, or one with other than the expected rows, or with rows that still wait.
CREATE FUNCTION "events_drop"("partition" text, "expected" bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
	"due" "event_partitions";
	"rows" bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(7236302);
	SELECT * INTO "due" FROM "events_due"() LIMIT 1;
	IF "due"."name" IS DISTINCT FROM "partition" THEN
		RAISE EXCEPTION 'the partition is not the oldest whose time is over';
	END IF;
	EXECUTE format('LOCK TABLE %I IN SHARE MODE', "partition");
	EXECUTE format('SELECT count(*) FROM %I', "partition") INTO "rows";
	IF "rows" <> "expected" THEN
		RAISE EXCEPTION 'the partition has other rows than expected';
	END IF;
	IF EXISTS (SELECT FROM "event_queue" WHERE "at" < "due"."to_at")
		OR EXISTS (SELECT FROM "event_chain_queue" WHERE "at" < "due"."to_at") THEN
		RAISE EXCEPTION 'some of its events still wait for the chain or for follow-ups';
	END IF;
	INSERT INTO "event_chain_dropped"
	SELECT "account_id", min("seq"), max("seq"), (array_agg("hash" ORDER BY "seq" DESC))[1]
	FROM (
		SELECT "account_id", "seq", "hash",
			"seq" - row_number() OVER (PARTITION BY "account_id" ORDER BY "seq") AS "range"
		FROM "event_chain" WHERE "at" < "due"."to_at"
	) AS "links"
	GROUP BY "account_id", "range";
	DELETE FROM "event_chain" WHERE "at" < "due"."to_at";
	EXECUTE format('DROP TABLE %I', "partition");
	IF "partition" <> 'events_before' THEN
		DROP TABLE "events_before";
	END IF;
	DELETE FROM "event_partitions" WHERE "name" IN ("partition", 'events_before');
	PERFORM "events_add_partition"('events_before', NULL, "due"."to_at");
END
$$;--> statement-breakpoint
-- The existing table becomes the oldest partition: nothing is copied.
DO $$
DECLARE
	"end_at" timestamptz;
	"newest" timestamptz;
BEGIN
	SET LOCAL timezone = 'UTC';
	SELECT max("at") INTO "newest" FROM "events_before";
	"end_at" := greatest(date_trunc('month', now()), date_trunc('month', "newest") + interval '1 month');
	EXECUTE format('ALTER TABLE events ATTACH PARTITION events_before FOR VALUES FROM (MINVALUE) TO (%L)', "end_at");
	INSERT INTO "event_partitions" VALUES ('events_before', NULL, "end_at");
END
$$;--> statement-breakpoint
CREATE TRIGGER "events_no_truncate" BEFORE TRUNCATE ON "events_before"
	FOR EACH STATEMENT EXECUTE FUNCTION "events_append_only"();--> statement-breakpoint
-- For events that no month's partition takes, so that late maintenance fails no login.
CREATE TABLE "events_default" PARTITION OF "events" DEFAULT;--> statement-breakpoint
CREATE TRIGGER "events_no_truncate" BEFORE TRUNCATE ON "events_default"
	FOR EACH STATEMENT EXECUTE FUNCTION "events_append_only"();--> statement-breakpoint
REVOKE ALL ON FUNCTION "events_add_partition"(text, timestamptz, timestamptz) FROM PUBLIC;--> statement-breakpoint
REVOKE ALL ON FUNCTION "events_make_months"(integer), "events_due"(), "events_drop"(text, bigint) FROM PUBLIC;--> statement-breakpoint
SELECT "events_make_months"(3);
