ALTER TABLE "event_queue" ADD COLUMN "claimed_until" timestamp (3) with time zone;
