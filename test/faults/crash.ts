import { newPerson } from "../support/people.ts";
import { startReceiver } from "../support/receiver.ts";
import { chanceOf } from "./chance.ts";
import { type Executions, killParts } from "./executioner.ts";
import { type Installation, install } from "./installation.ts";
import type { Ledger } from "./ledger.ts";
import { type FaultyPerson, personOf } from "./person.ts";
import { appStory, guessingStory, keyStory, phoneStory, rolloutStory } from "./stories.ts";
import { judge, type Verdict } from "./verdict.ts";

export type CrashRun = Verdict & {
  executions: Executions;
  stories: Record<string, number>;
  /** Seconds for the start, the run, and the comparison after it. */
  took: { start: number; run: number; judging: number };
  /** Parts that ended without a kill. */
  deaths: string[];
};

/**
 * Runs `atATime` client stories in parallel until `kills` parts were killed, then judges the
 * result.
 */
export async function crashRun({
  seed,
  kills,
  atATime,
  paceMs,
}: {
  seed: number;
  kills: number;
  atATime: number;
  paceMs: number;
}): Promise<CrashRun> {
  const chance = chanceOf(seed);
  const begun = performance.now();
  const since = (from: number) => Math.round((performance.now() - from) / 1000);
  const installation = await install();
  const receiver = await startReceiver();
  const start = since(begun);
  const ledgers: Ledger[] = [];
  const faults: string[] = [];
  const stories: Record<string, number> = {};
  let enough = false;
  try {
    const person = peopleOf(installation, ledgers);
    const live = async (first: number) => {
      for (let turn = first; turn === first || !enough; turn += atATime) {
        const [name, story] = STORIES[turn % STORIES.length] as (typeof STORIES)[number];
        try {
          await story(person, receiver.url);
          stories[name] = (stories[name] ?? 0) + 1;
        } catch (error) {
          faults.push(`${name}: ${error instanceof Error ? error.stack : error}`);
          enough = true;
        }
      }
    };
    const executing = killParts(installation, chance, {
      enough: kills,
      paceMs,
      done: () => enough,
    });
    const living = Promise.all(Array.from({ length: atATime }, (_, first) => live(first)));
    const executions = await executing;
    enough = true;
    await living;
    const run = since(begun) - start;
    const verdict = await judge(installation, ledgers, receiver.received);
    const took = { start, run, judging: since(begun) - start - run };
    if (faults.length > 0) faults.push(...installation.errors());
    const deaths = installation.parts.flatMap((part) => part.deaths);
    return {
      ...verdict,
      faults: [...faults, ...verdict.faults],
      executions,
      stories,
      deaths,
      took,
    };
  } finally {
    await installation.stop();
    await receiver.stop();
  }
}

type NewPerson = (options?: {
  role?: "administrator";
  accountId?: string;
}) => Promise<FaultyPerson>;

const STORIES: [name: string, story: (person: NewPerson, hooks: string) => Promise<void>][] = [
  ["phone", async (person) => phoneStory(await person())],
  ["app", async (person) => appStory(await person())],
  ["key", async (person) => keyStory(await person())],
  ["guesses", async (person) => guessingStory(await person())],
  [
    "roll-out",
    async (person, hooks) => {
      const administrator = await person({ role: "administrator" });
      const { accountId } = administrator.ledger.user;
      const members = [await person({ accountId }), await person({ accountId })];
      await rolloutStory(administrator, members, `${hooks}/${accountId}`);
    },
  ],
];

function peopleOf(installation: Installation, ledgers: Ledger[]): NewPerson {
  return async (options = {}) => {
    const user = await newPerson(installation.db, { ...options, at: new Date() });
    const number = ledgers.length;
    const address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    const person = personOf(installation, user, address);
    ledgers.push(person.ledger);
    return person;
  };
}
