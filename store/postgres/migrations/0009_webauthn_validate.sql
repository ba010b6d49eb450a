ALTER TABLE "accounts" VALIDATE CONSTRAINT "accounts_requirement";
--> statement-breakpoint
ALTER TABLE "accounts" VALIDATE CONSTRAINT "accounts_grace";
--> statement-breakpoint
ALTER TABLE "devices" VALIDATE CONSTRAINT "devices_type";
--> statement-breakpoint
ALTER TABLE "devices" VALIDATE CONSTRAINT "devices_fields";
--> statement-breakpoint
ALTER TABLE "users" VALIDATE CONSTRAINT "users_default_method";
