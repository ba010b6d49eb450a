import type { Command } from "commander";
import { sql } from "drizzle-orm";
import { answer, columns } from "./answer.ts";
import { withStores } from "./service.ts";

/** `sql`: a question to PostgreSQL where no psql can reach it, as in the image of the service. */
export function sqlCommand(program: Command) {
  program
    .command("sql")
    .description("ask PostgreSQL: one statement, in a transaction that can only read; at most 5 s")
    .argument("<statement>", "such as: select count(*) from event_queue")
    .action(ask);
}

async function ask(statement: string, _options: object, command: Command) {
  await withStores(async ({ db }) => {
    const { rows } = await db.transaction(
      async (tx) => {
        // Behind a pooler the connection's own timeout may not hold.
        await tx.execute(sql`set local statement_timeout = '5s'`);
        return tx.execute(sql.raw(statement));
      },
      { accessMode: "read only" },
    );
    answer(command, { rows }, columns(rows.map(asText), "No rows."));
  });
}

/** Columns of JSON as JSON. */
const asText = (row: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      const isJson = typeof value === "object" && value !== null && !(value instanceof Date);
      return [name, isJson ? JSON.stringify(value) : value];
    }),
  );
