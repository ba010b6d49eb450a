CREATE TABLE "redis_generation" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"generation" text DEFAULT '' NOT NULL,
	"beats" bigint DEFAULT 0 NOT NULL,
	"beaten_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"cause" text,
	"begun_at" timestamp (3) with time zone,
	CONSTRAINT "redis_generation_only" CHECK ("redis_generation"."only")
);
--> statement-breakpoint
INSERT INTO "redis_generation" DEFAULT VALUES;
