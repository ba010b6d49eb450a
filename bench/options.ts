import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SetUpError } from "../scripts/progress.ts";

export const STORES = ["memory", "sqlite", "postgres"] as const;
export type Store = (typeof STORES)[number];

const HELP = `npm run bench -- [options]

  --only text          only the loads whose name contains the text
  --seconds 5          of each load
  --rounds 3           how often all loads are measured, in turn; each figure is the median
  --users 2000         of each kind: with an app, with a phone, with neither
  --clients 1,8,32     of the closed loops
  --no-hash            hash the users' passwords at the least cost, to see what the rest costs
  --temporal memory    where Temporal keeps its data: memory, sqlite or postgres
  --gateways 1         how many gateways; requests go to each in turn
  --workers 1          how many workers
  --load-rows 0        how many more users are in the database, each with an app and an event
  --open-challenges 0  how many login challenges stay open meanwhile
  --profile            where each millisecond of a login goes
  --growth             one load against more users, challenges, gateways, workers, and stores of Temporal
  --out bench/results  where JSON, tables and plot are put
  --write-docs         puts the tables into docs/, and the figures into bench/baseline.json`;

const here = dirname(fileURLToPath(import.meta.url));

/** The command line's switches; undefined after the help was printed. Throws a SetUpError. */
export function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      seconds: { type: "string", default: "5" },
      rounds: { type: "string", default: "3" },
      users: { type: "string", default: "2000" },
      clients: { type: "string", default: "1,8,32" },
      "no-hash": { type: "boolean", default: false },
      temporal: { type: "string", default: "memory" },
      gateways: { type: "string", default: "1" },
      workers: { type: "string", default: "1" },
      "load-rows": { type: "string", default: "0" },
      "open-challenges": { type: "string", default: "0" },
      profile: { type: "boolean", default: false },
      growth: { type: "boolean", default: false },
      out: { type: "string", default: join(here, "results") },
      "write-docs": { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return undefined;
  }
  const temporal = STORES.find((store) => store === values.temporal);
  if (!temporal) throw new SetUpError(`--temporal is one of ${STORES.join(", ")}`);
  const { only, profile, growth, out } = values;
  return {
    ...{ only, profile, growth, out, temporal },
    hash: !values["no-hash"],
    writeDocs: values["write-docs"],
    seconds: quantity("seconds", values.seconds),
    rounds: quantity("rounds", values.rounds),
    users: quantity("users", values.users),
    clients: values.clients.split(",").map((text) => quantity("clients", text)),
    gateways: quantity("gateways", values.gateways),
    workers: quantity("workers", values.workers),
    rows: quantity("load-rows", values["load-rows"], 0),
    openChallenges: quantity("open-challenges", values["open-challenges"], 0),
  };
}

export type Options = NonNullable<ReturnType<typeof readOptions>>;

function quantity(name: string, text: string, least = 1): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least) return number;
  throw new SetUpError(`--${name} is a whole number from ${least} on`);
}
