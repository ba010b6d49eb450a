import { defineConfig } from "drizzle-kit";

/** `npx drizzle-kit generate --config store/postgres/drizzle.config.ts` writes the next migration. */
export default defineConfig({
  dialect: "postgresql",
  schema: "./store/postgres/schema.ts",
  out: "./store/postgres/migrations",
});
