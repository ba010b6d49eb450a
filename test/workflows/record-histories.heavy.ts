// Records the histories of every end of every flow, on the real server: npm run record-histories
import { afterAll, expect, test } from "vitest";
import { everyEnd } from "./every-end.ts";
import { outcomes } from "./outcomes/index.ts";
import { endOf, type Recorded, recordHistories } from "./recorded.ts";
import { useWorld } from "./world.ts";

const world = useWorld("real");
const recorded: Recorded[] = [];

test.each(Object.entries(outcomes))("%s", async (name, outcome) => {
  const ended = await outcome(world);
  await ended.result();
  recorded.push({ name, workflowId: ended.workflowId, history: await ended.fetchHistory() });
});

test("no end is missing", async () => {
  const ends = new Set(recorded.map(({ history }) => endOf(history)));
  expect(ends).toEqual(new Set(await everyEnd()));
});

afterAll(() => {
  if (recorded.length === Object.keys(outcomes).length) recordHistories(recorded);
});
