import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, InvalidArgumentError } from "commander";
import { auditFile } from "../../core/audit.ts";
import { EVENT_TYPES } from "../../store/events/event-types.ts";
import { headsOf } from "../../store/postgres/events/event-chain.ts";
import { auditedAccounts } from "../../store/postgres/events/verify-events.ts";
import { accountNamed } from "./named.ts";
import { withStores } from "./service.ts";
import { verifyEvents } from "./verify-events.ts";

type Options = { account?: string; since?: Date; type?: string[] };

/** `events export`: the audit trail for other systems. `events verify` and `heads`: its chains. */
export function eventCommands(program: Command) {
  const group = program.command("events").description("the audit trail");

  group
    .command("export")
    .description("print events as NDJSON, oldest first: of every account, or of one")
    .option("--account <account>", "its name or id")
    .option("--since <time>", "a date, or a date and time: 2026-01-31T12:00:00Z", time)
    .option("--type <types>", "one or more, separated by commas", eventTypes)
    .action(({ account: name, since: from, type: types }: Options) =>
      withStores(async ({ db }) => {
        const account = name === undefined ? undefined : await accountNamed(db, name);
        const whose = account ? { accountId: account.id } : { everywhere: true as const };
        const file = await auditFile({ db }, { ...whose, from, types }, "operator");
        await pipeline(Readable.fromWeb(file as never), process.stdout, { end: false }).catch(
          ifReadToTheEnd,
        );
      }),
    );

  group
    .command("verify")
    .description(
      "compare events with their accounts' hash chains; name each changed, missing or inserted one",
    )
    .option("--account <account>", "its name or id")
    .option(
      "--heads <file>",
      "links that `events heads` printed earlier, which must still be there; `-` reads standard input",
    )
    .action(({ account, heads }: { account?: string; heads?: string }, command: Command) =>
      withStores(({ db }) => verifyEvents(db, { account, heads }, command)),
    );

  group
    .command("heads")
    .description("print the newest link of each account's chain as NDJSON, to keep elsewhere")
    .action(() =>
      withStores(async ({ db }) => {
        for await (const accountId of auditedAccounts(db)) {
          const head = (await headsOf(db, [accountId])).get(accountId);
          if (head) console.log(JSON.stringify({ accountId, ...head }));
        }
      }),
    );
}

function eventTypes(text: string): string[] {
  const types = text.split(",");
  const unknown = types.filter((type) => !EVENT_TYPES.some((known) => known === type));
  if (unknown.length > 0)
    throw new InvalidArgumentError(`There is no type of event ${unknown.join(", ")}.`);
  return types;
}

function time(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime()))
    throw new InvalidArgumentError("Enter a date, or a date and time.");
  return date;
}

/** A reader that stops early, as `head` does, is no failure. */
function ifReadToTheEnd(error: { code?: string }): void {
  if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
}
