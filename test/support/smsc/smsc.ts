import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { freePort } from "../../../scripts/ports.ts";
import { type Child, launch, waitUntilReady } from "../../../scripts/processes.ts";
import { limit } from "../limits.ts";
import { until } from "../until.ts";

/** What the SMSC does with a message, by the number's last two digits. Others it delivers. */
export const treat = {
  refused: "90",
  throttled: "91",
  unanswered: "92",
  /** The receipt comes before the answer to the submission. */
  reportedEarly: "93",
  unreachable: "94",
  /** The receipt reports the state in TLVs only, without a text. */
  expired: "95",
  /** The receipt spells the id in decimal, the answer in hexadecimal. */
  reportedInDecimal: "96",
  /** The receipt goes to a different session than the one that sent the message. */
  reportedElsewhere: "97",
  /** The receipt reports an intermediate state. */
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
  /** The message's octets in hexadecimal. */
  octets: string;
};

export type SmscEvent =
  | Submitted
  | { event: "bind"; type: string; version: number; accepted: boolean }
  | { event: "receipt"; id: string; acknowledged: boolean }
  | { event: "ended"; state: string }
  | { event: "enquire_link" | "listening" };

const START_MS = limit(30_000);
/** After this silence the SMSC sends `enquire_link`. */
const SILENCE_MS = 300;
const SYSTEM_ID = "second-step";
const PASSWORD = "s3cr:t@7";

/** A real SMSC in its own process. A test can kill it and start it again on the same port. */
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

  /** The events of all runs, in order. */
  const events = () =>
    Array.from({ length: run }, (_, index) => eventsIn(logFile(index + 1))).flat();
  const submitted = () => events().filter((event) => event.event === "submit");

  return {
    port,
    url: `smpp://${SYSTEM_ID}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    password: PASSWORD,
    events,
    /** Waits for `count` events of a kind and resolves with them. */
    seen: <Kind extends SmscEvent["event"]>(kind: Kind, count: number) =>
      until(
        async () =>
          events().filter((one): one is Extract<SmscEvent, { event: Kind }> => one.event === kind),
        ({ length }) => length >= count,
      ),
    /** The messages to a number, newest first, decoded as a phone shows them. */
    messagesTo: async (to: string) =>
      submitted()
        .filter((message) => `+${message.to}` === to)
        .map(({ octets }) => ({ to, body: Buffer.from(octets, "hex").toString("latin1") }))
        .reverse(),
    /** How many sessions are bound to the SMSC that runs now. */
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
