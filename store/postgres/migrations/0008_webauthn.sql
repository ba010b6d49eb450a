CREATE TABLE "webauthn_credentials" (
	"device_id" text PRIMARY KEY NOT NULL CONSTRAINT "webauthn_credentials_device_id_devices_id_fk" REFERENCES "devices"("id") ON DELETE CASCADE,
	"credential_id" text NOT NULL,
	"public_key" text NOT NULL,
	"counter" bigint NOT NULL,
	"aaguid" text NOT NULL,
	"transports" text[] NOT NULL,
	"backup_eligible" boolean NOT NULL,
	"backed_up" boolean NOT NULL,
	CONSTRAINT "webauthn_credentials_credential_id_unique" UNIQUE("credential_id"),
	CONSTRAINT "webauthn_credentials_counter" CHECK ("webauthn_credentials"."counter" between 0 and 4294967295)
);
--> statement-breakpoint
-- squawk-ignore ban-drop-constraint
ALTER TABLE "accounts" DROP CONSTRAINT "accounts_requirement";
--> statement-breakpoint
-- squawk-ignore ban-drop-constraint
ALTER TABLE "accounts" DROP CONSTRAINT "accounts_grace";
--> statement-breakpoint
-- squawk-ignore ban-drop-constraint
ALTER TABLE "devices" DROP CONSTRAINT "devices_type";
--> statement-breakpoint
-- squawk-ignore ban-drop-constraint
ALTER TABLE "devices" DROP CONSTRAINT "devices_fields";
--> statement-breakpoint
-- squawk-ignore ban-drop-constraint
ALTER TABLE "users" DROP CONSTRAINT "users_default_method";
--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "required_meanwhile" boolean DEFAULT false NOT NULL;
--> statement-breakpoint
ALTER TABLE "accounts" ADD COLUMN "passkey_login" boolean DEFAULT true NOT NULL;
--> statement-breakpoint
ALTER TABLE "devices" ADD COLUMN "last_used_at" timestamp (3) with time zone;
--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_requirement" CHECK ("accounts"."requirement" in ('optional', 'required', 'phishing_resistant')) NOT VALID;
--> statement-breakpoint
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_grace" CHECK ("accounts"."enforce_after" is null or "accounts"."requirement" <> 'optional') NOT VALID;
--> statement-breakpoint
ALTER TABLE "devices" ADD CONSTRAINT "devices_type" CHECK ("devices"."type" in ('sms', 'otp', 'webauthn')) NOT VALID;
--> statement-breakpoint
ALTER TABLE "devices" ADD CONSTRAINT "devices_fields" CHECK (case "devices"."type"
        when 'sms' then num_nonnulls("devices"."country_code", "devices"."phone_number") = 2 and "devices"."secret" is null
        when 'otp' then num_nonnulls("devices"."name", "devices"."secret") = 2 and num_nulls("devices"."country_code", "devices"."phone_number") = 2
        when 'webauthn' then "devices"."name" is not null and num_nulls("devices"."country_code", "devices"."phone_number", "devices"."secret") = 3
      end) NOT VALID;
--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_default_method" CHECK ("users"."default_method" in ('sms', 'otp', 'webauthn')) NOT VALID;
--> statement-breakpoint
-- A build that does not know keys would let their users in by the password alone, and take an account
-- that requires them for one that requires nothing.
CREATE FUNCTION "webauthn_needs_builds"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO drizzle.schema_needs (migration) VALUES ('0008_webauthn') ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "webauthn_needs_builds" AFTER INSERT ON "devices"
FOR EACH ROW WHEN (NEW."type" = 'webauthn') EXECUTE FUNCTION "webauthn_needs_builds"();
--> statement-breakpoint
CREATE TRIGGER "webauthn_needs_builds" AFTER UPDATE OF "requirement" ON "accounts"
FOR EACH ROW WHEN (NEW."requirement" = 'phishing_resistant') EXECUTE FUNCTION "webauthn_needs_builds"();
