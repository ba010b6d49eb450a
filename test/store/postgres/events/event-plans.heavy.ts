import pg from "pg";
import { expect, test } from "vitest";
import { database } from "../database.ts";
import { fillEvents, planOf, QUESTIONS } from "./event-plans.ts";

const pools = database("postgres");

// EVENTS=1000000 npx vitest run --config test/heavy.config.ts test/store/postgres/event-plans
test("indexes answer operators' questions over ten million events", async () => {
  const client = new pg.Client({ connectionString: pools.url });
  await client.connect();
  await fillEvents(client, pools.url, Number(process.env.EVENTS ?? 10_000_000));
  const table = [];
  for (const { question, statement, indexes } of QUESTIONS) {
    await planOf(client, statement);
    const plan = await planOf(client, statement);
    expect(plan.fullReads, question).toEqual([]);
    expect(plan.indexes, question).toEqual(expect.arrayContaining(indexes));
    table.push({ question, indexes: plan.indexes.join(", "), ms: plan.ms });
  }
  console.table(table);
  await client.end();
});
