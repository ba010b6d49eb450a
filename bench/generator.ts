// The process that makes the load. Nothing else of the bench runs in its event loop.
import { newClient } from "./client.ts";
import { type Journey, type JourneyName, journeys } from "./journeys.ts";
import { load, type Pace, type Run } from "./load.ts";
import { openOutbox } from "./outbox.ts";
import type { Person } from "./people.ts";

/** What is to be loaded, how, by whom and for how long. */
export type Order = { journey: JourneyName; pace: Pace; seconds: number; people: Person[] };
/** A load, and the workflow of its last unit of work. */
export type Delivered = Run & { workflowId?: string };

const BEFORE = { pace: { clients: 16 }, seconds: 120 };
const [redisUrl = "", ...origins] = process.argv.slice(2);
const call = newClient(origins);
const outbox = await openOutbox(redisUrl);
let measure: () => Promise<Delivered>;
/** Continues from load to load, because a user's code works only once. */
let turn = 0;

/** Does what comes before the measurement. */
async function prepare({ journey, pace, seconds, people }: Order): Promise<Run | undefined> {
  let served = 0;
  let workflowId: string | undefined;
  const make: Journey = journeys[journey];
  const { before, work } = make({
    call,
    outbox,
    next: (once) => (once ? people[served++] : people[turn++ % people.length]),
    ran: (id) => {
      workflowId = id;
    },
  });
  measure = async () => ({ ...(await load(pace, seconds, work)), workflowId });
  return before && load(BEFORE.pace, BEFORE.seconds, before);
}

process.on("message", async (order: Order | "measure") => {
  process.send?.((await (order === "measure" ? measure() : prepare(order))) ?? "ready");
});
process.once("disconnect", () => process.exit());
