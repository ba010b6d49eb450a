import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limit } from "../../../support/limits.ts";
import { database } from "../database.ts";
import { fillEvents, planOf, QUESTIONS } from "./event-plans.ts";

const pools = database("postgres");
let client: pg.Client;

beforeAll(async () => {
  client = new pg.Client({ connectionString: pools.url });
  await client.connect();
  await fillEvents(client, pools.url, 150_000);
}, limit(120_000));
afterAll(() => client.end());

// `event-plans.heavy.ts` asks the same of ten million events.
test.each(QUESTIONS.filter(({ large }) => !large))(
  "an index answers: $question",
  async ({ statement, indexes }) => {
    const plan = await planOf(client, statement);
    expect(plan.fullReads).toEqual([]);
    expect(plan.indexes).toEqual(expect.arrayContaining(indexes));
  },
);
