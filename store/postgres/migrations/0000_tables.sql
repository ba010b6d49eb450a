CREATE TABLE "account_links" (
	"account_id" text NOT NULL,
	"linked_account_id" text NOT NULL,
	"linked_by" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "account_links_account_id_linked_account_id_pk" PRIMARY KEY("account_id","linked_account_id"),
	CONSTRAINT "account_links_other" CHECK ("account_links"."account_id" <> "account_links"."linked_account_id")
);
--> statement-breakpoint
CREATE TABLE "accounts" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"requirement" text DEFAULT 'optional' NOT NULL,
	"enforce_after" timestamp (3) with time zone,
	"policy_version" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "accounts_name_unique" UNIQUE("name"),
	CONSTRAINT "accounts_kind" CHECK ("accounts"."kind" in ('panel', 'cloud')),
	CONSTRAINT "accounts_requirement" CHECK ("accounts"."requirement" in ('optional', 'required')),
	CONSTRAINT "accounts_grace" CHECK ("accounts"."enforce_after" is null or "accounts"."requirement" = 'required')
);
--> statement-breakpoint
CREATE TABLE "devices" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"type" text NOT NULL,
	"name" text,
	"country_code" text,
	"phone_number" text,
	"secret" text,
	"verified_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "devices_type" CHECK ("devices"."type" in ('sms', 'otp')),
	CONSTRAINT "devices_e164" CHECK ("devices"."phone_number" ~ '^\+[1-9][0-9]{1,14}$'),
	CONSTRAINT "devices_fields" CHECK (case "devices"."type"
        when 'sms' then num_nonnulls("devices"."country_code", "devices"."phone_number") = 2 and num_nulls("devices"."name", "devices"."secret") = 2
        when 'otp' then num_nonnulls("devices"."name", "devices"."secret") = 2 and num_nulls("devices"."country_code", "devices"."phone_number") = 2
      end)
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"key" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"account_id" text NOT NULL,
	"user_id" text,
	"actor_id" text,
	"type" text NOT NULL,
	"ip" text,
	"user_agent" text,
	"workflow_id" text,
	"detail" jsonb DEFAULT '{}'::jsonb NOT NULL,
	CONSTRAINT "events_key_unique" UNIQUE("key")
);
--> statement-breakpoint
CREATE TABLE "recovery_codes" (
	"user_id" text NOT NULL,
	"hash" text NOT NULL,
	"set_id" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"used_at" timestamp (3) with time zone,
	"used_by" text,
	CONSTRAINT "recovery_codes_user_id_hash_pk" PRIMARY KEY("user_id","hash"),
	CONSTRAINT "recovery_codes_use" CHECK (("recovery_codes"."used_at" is null) = ("recovery_codes"."used_by" is null))
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" text PRIMARY KEY NOT NULL,
	"account_id" text NOT NULL,
	"username" text NOT NULL,
	"email" text,
	"password_hash" text NOT NULL,
	"role" text NOT NULL,
	"default_method" text,
	"locked_at" timestamp (3) with time zone,
	"last_login_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "users_username_unique" UNIQUE("username"),
	CONSTRAINT "users_role" CHECK ("users"."role" in ('member', 'administrator', 'support')),
	CONSTRAINT "users_default_method" CHECK ("users"."default_method" in ('sms', 'otp'))
);
--> statement-breakpoint
ALTER TABLE "account_links" ADD CONSTRAINT "account_links_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "account_links" ADD CONSTRAINT "account_links_linked_account_id_accounts_id_fk" FOREIGN KEY ("linked_account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "devices" ADD CONSTRAINT "devices_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recovery_codes" ADD CONSTRAINT "recovery_codes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "devices_by_user" ON "devices" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "devices_one_sms" ON "devices" USING btree ("user_id") WHERE "devices"."type" = 'sms';--> statement-breakpoint
CREATE INDEX "events_by_user" ON "events" USING btree ("user_id","id");--> statement-breakpoint
CREATE INDEX "events_by_account" ON "events" USING btree ("account_id","id");--> statement-breakpoint
CREATE INDEX "users_by_account" ON "users" USING btree ("account_id","username");--> statement-breakpoint
CREATE INDEX "users_by_username_prefix" ON "users" USING btree ("username" text_pattern_ops);