import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { DEMANDS, LONGEST_GRACE_DAYS } from "../../core/account/policy.ts";
import { resumeRollouts, rollOutPolicy } from "../../core/account/roll-out.ts";
import type { Db } from "../../store/postgres/connect.ts";
import type { Requirement } from "../../store/postgres/schema.ts";
import {
  administratorsWithoutKey,
  countUsers,
  type UserCounts,
} from "../../store/postgres/user-lists.ts";
import { SetUpError } from "../progress.ts";
import { answer, fields } from "./answer.ts";
import { accountNamed } from "./named.ts";
import { OPERATOR, withService, withStores } from "./service.ts";

/** `policy show` and `policy set`. */
export function policyCommands(program: Command) {
  const group = program
    .command("policy")
    .description("whether an account requires multi-factor authentication");

  group
    .command("show")
    .description("what the account requires, from when, and how many users are set up")
    .argument("<account>", "its name or id")
    .action((name: string, _options, command: Command) =>
      withStores(({ db }) => show(db, name, command)),
    );

  group
    .command("set")
    .description("require multi-factor authentication of the account's users, or make it optional")
    .argument("<account>", "its name or id")
    .addArgument(
      new Argument("<requirement>", "what is asked of its users").choices([
        "required",
        "phishing_resistant",
        "optional",
      ]),
    )
    .option(
      "--days <n>",
      `a grace period of 1 to ${LONGEST_GRACE_DAYS} days before it is enforced`,
      days,
    )
    .addOption(
      new Option(
        "--now",
        "no grace period: whoever did not log in with what is required is logged out",
      ).conflicts("days"),
    )
    .action((name: string, requirement: Requirement, when: When, command: Command) =>
      withService(async (service) => {
        const account = await accountNamed(service.db, name);
        const counts = await countUsers(service.db, account);
        if (requirement !== "optional") requireWhen(when, requirement, counts);
        else if (when.now)
          throw new SetUpError("--now goes with a requirement: `optional` logs out nobody.");
        const enforceAfter = when.days === undefined ? undefined : { days: when.days };
        await rollOutPolicy(service, account, { requirement, enforceAfter }, OPERATOR);
        await show(service.db, name, command);
      }),
    );

  group
    .command("resume")
    .description(
      "start the roll-outs that a lost or older Temporal does not know, for every account in a grace period; " +
        "the end of each grace period stays",
    )
    .action((_options, command: Command) =>
      withService(async (service) => {
        const resumed = await resumeRollouts(service, OPERATOR);
        const words = resumed.length > 0 ? resumed.join("\n") : "Every roll-out is running.";
        answer(command, { resumed }, words);
      }),
    );
}

/** How many administrators without a key are named. */
const MOST_NAMES = 50;

type When = { days?: number; now?: boolean };

/**
 * Throws a SetUpError without --days or --now, so that nobody logs out an account's users by a
 * forgotten option.
 */
function requireWhen({ days, now }: When, requirement: keyof typeof DEMANDS, counts: UserCounts) {
  const { factor, without } = DEMANDS[requirement];
  if (days === undefined && !now)
    throw new SetUpError(
      `Give --days <n> for a grace period, or --now. --now logs out everyone who did not log in with ${factor}; ` +
        `users who have none and must add one: ${counts[without]}.`,
    );
}

async function show(db: Db, name: string, command: Command) {
  const account = await accountNamed(db, name);
  const { total, configured, toGo } = await countUsers(db, account);
  const asksForKey = account.requirement === "phishing_resistant";
  const found = asksForKey ? await administratorsWithoutKey(db, account.id, MOST_NAMES + 1) : [];
  const keyless = found.slice(0, MOST_NAMES);
  const areMore = found.length > MOST_NAMES;
  const policy = {
    account: account.name,
    requirement: account.requirement,
    enforceAfter: account.enforceAfter?.toISOString() ?? null,
    version: account.policyVersion,
    users: total,
    configured,
    toGo,
  };
  const { toGo: _, ...others } = policy;
  const words = {
    ...others,
    [asksForKey ? "without a key" : "without a device"]: toGo,
    ...(keyless.length > 0 && { "administrators without a key": namesOf(keyless, areMore) }),
  };
  const administrators = asksForKey
    ? { administratorsWithoutKey: keyless, ...(areMore && { moreAdministratorsWithoutKey: true }) }
    : {};
  answer(command, { ...policy, ...administrators }, fields(words));
}

const namesOf = (names: string[], areMore: boolean) =>
  `${names.join(", ")}${areMore ? ", and others" : ""}`;

function days(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > LONGEST_GRACE_DAYS)
    throw new InvalidArgumentError(`Give 1 to ${LONGEST_GRACE_DAYS} days.`);
  return number;
}
