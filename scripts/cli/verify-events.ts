import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { Db } from "../../store/postgres/connect.ts";
import { countUnchained, type Link } from "../../store/postgres/events/event-chain.ts";
import {
  auditedAccounts,
  type Finding,
  hasLink,
  lostEvents,
  verifyAccount,
} from "../../store/postgres/events/verify-events.ts";
import { canChangeEvents } from "../../store/postgres/roles.ts";
import { answer } from "./answer.ts";
import { accountNamed } from "./named.ts";

/** How often a long run says how far it is, in ms. */
const PROGRESS_MS = 2_000;

/** Prints what is wrong with the chains of one account or of all. The exit code is 1 if anything is. */
export async function verifyEvents(
  db: Db,
  { account, heads }: { account?: string; heads?: string },
  command: Command,
): Promise<void> {
  const findings: Finding[] = [];
  const found = (finding: Finding) => findings.push(finding);
  let read = 0;
  let said = performance.now();
  const progress = (events: number) => {
    read += events;
    if (performance.now() - said < PROGRESS_MS) return;
    said = performance.now();
    console.error(`${read} events read`);
  };
  const one = account === undefined ? undefined : (await accountNamed(db, account)).id;
  let accounts = 0;
  for await (const id of one === undefined ? auditedAccounts(db) : [one]) {
    accounts += 1;
    await verifyAccount(db, id, { found, read: progress });
  }
  for (const id of await lostEvents(db)) found({ what: "missing", eventId: id });
  for (const link of heads === undefined ? [] : linksIn(heads))
    if ((one ?? link.accountId) === link.accountId && !(await hasLink(db, link)))
      found({ accountId: link.accountId, what: "cut", seq: link.seq });
  const waiting = await countUnchained(db);
  const changeable = await canChangeEvents(db);
  const summary = [
    `${read} events of ${accounts} accounts: ${findings.length || "no"} findings.`,
    ...(waiting > 0 ? [`${waiting} events are not chained yet.`] : []),
    ...(changeable ? ["This database role could change events: see DATABASE_OWNER_URL."] : []),
  ];
  answer(
    command,
    { events: read, accounts, waiting, changeable, findings },
    [...findings.map(words), ...summary].join("\n"),
  );
  if (findings.length > 0) process.exitCode = 1;
}

const STDIN = 0;

const linksIn = (file: string): Link[] =>
  readFileSync(file === "-" ? STDIN : file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

function words({ accountId, what, eventId, seq }: Finding): string {
  const event = eventId === undefined ? "" : ` event ${eventId}`;
  const link = seq === undefined ? "" : ` link ${seq}`;
  return `${what}:${event}${link}${accountId === undefined ? "" : ` of account ${accountId}`}`;
}
