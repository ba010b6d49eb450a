import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { freePort } from "../../../scripts/ports.ts";
import { type Child, launch, waitUntilReady } from "../../../scripts/processes.ts";
import { limit } from "../limits.ts";
import { until } from "../until.ts";

/** How the SMSC treats a message, by the last two digits of its number; others it delivers. */
export const treat = {
  refused: "90",
  throttled: "91",
  unanswered: "92",
  /** The receipt comes before the answer. */
  reportedEarly: "93",
  unreachable: "94",
  /** Told by TLVs alone. */
  expired: "95",
  /** The receipt spells the id in decimal, the answer in hexadecimal. */
  reportedInDecimal: "96",
  /** The receipt goes to another session than the one that sent the message. */
  reportedElsewhere: "97",
  /** The receipt tells of a state on the way. */
  enroute: "98",
};

export type Submitted = {
  event: "submit";
  id: string;
  to: string;
  toTon: number;
  toNpi: number;
  from: string;
  fromTon: number;
  fromNpi: number;
  coding: number;
  esmClass: number;
  registered: number;
  validity: string;
  /** In hexadecimal. */
  octets: string;
};

export type SmscEvent =
  | Submitted
  | { event: "bind"; type: string; version: number; accepted: boolean }
  | { event: "receipt"; id: string; acknowledged: boolean }
  | { event: "ended"; state: string }
  | { event: "enquire_link" | "listening" };

const START_MS = limit(30_000);
/** Silence after which the SMSC asks whether the session is alive. */
const SILENCE_MS = 300;
const SYSTEM_ID = "second-step";
const PASSWORD = "s3cr:t@7";

/** A real SMSC in a process of its own, which can be killed and started again at the same port. */
export async function startSmsc() {
  const folder = mkdtempSync(join(tmpdir(), "second-step-smsc-"));
  const port = await freePort();
  let run = 0;
  let child: Child;
  const logFile = (number: number) => join(folder, `${number}.log`);

  const start = async () => {
    const file = logFile(++run);
    const args = [String(port), SYSTEM_ID, PASSWORD, String(SILENCE_MS)];
    child = launch({ name: "smsc", program: inject("smscProgram"), args, logFile: file });
    const ready = async () => {
      if (!eventsIn(file).some(({ event }) => event === "listening"))
        throw new Error("it does not listen");
    };
    await waitUntilReady(child, ready, START_MS);
  };
  await start();

  /** What all runs have seen, in its order. */
  const events = () =>
    Array.from({ length: run }, (_, index) => eventsIn(logFile(index + 1))).flat();
  const submitted = () => events().filter((event) => event.event === "submit");

  return {
    port,
    url: `smpp://${SYSTEM_ID}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    password: PASSWORD,
    events,
    /** Waits until there are so many events of a kind, and resolves with them. */
    seen: <Kind extends SmscEvent["event"]>(kind: Kind, count: number) =>
      until(
        async () =>
          events().filter((one): one is Extract<SmscEvent, { event: Kind }> => one.event === kind),
        ({ length }) => length >= count,
      ),
    /** The messages to a number, newest first, as a phone would show them. */
    messagesTo: async (to: string) =>
      submitted()
        .filter((message) => `+${message.to}` === to)
        .map(({ octets }) => ({ to, body: Buffer.from(octets, "hex").toString("latin1") }))
        .reverse(),
    /** How many sessions are bound, as the SMSC that runs now sees it. */
    sessions: () =>
      eventsIn(logFile(run)).reduce((count, one) => {
        if (one.event === "bind" && one.accepted) return count + 1;
        return one.event === "ended" ? count - 1 : count;
      }, 0),
    async kill() {
      child.kill();
      await child.exited;
    },
    start,
    async stop() {
      await child.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

function eventsIn(file: string): SmscEvent[] {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}
