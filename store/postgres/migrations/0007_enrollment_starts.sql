CREATE TABLE "enrollment_starts" (
	"device_id" text PRIMARY KEY NOT NULL,
	"due_at" timestamp (3) with time zone NOT NULL
);
