import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { LONGEST_GRACE_DAYS } from "../../core/account/policy.ts";
import { resumeRollouts, rollOutPolicy } from "../../core/account/roll-out.ts";
import type { Db } from "../../store/postgres/connect.ts";
import type { Requirement } from "../../store/postgres/schema.ts";
import { countUsers } from "../../store/postgres/user-lists.ts";
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
      new Argument("<requirement>", "what is asked of its users").choices(["required", "optional"]),
    )
    .option(
      "--days <n>",
      `a grace period of 1 to ${LONGEST_GRACE_DAYS} days before it is enforced`,
      days,
    )
    .addOption(
      new Option(
        "--now",
        "no grace period: users without a verified device are logged out",
      ).conflicts("days"),
    )
    .action((name: string, requirement: Requirement, when: When, command: Command) =>
      withService(async (service) => {
        const account = await accountNamed(service.db, name);
        const { toGo: loggedOut } = await countUsers(service.db, account.id);
        if (requirement === "required") requireWhen(when, loggedOut);
        else if (when.now)
          throw new SetUpError("--now goes with `required`: `optional` logs out nobody.");
        const enforceAfter = when.days === undefined ? undefined : { days: when.days };
        await rollOutPolicy(service, account, { requirement, enforceAfter }, OPERATOR);
        const { policyVersion } = await accountNamed(service.db, name);
        const isNew = policyVersion !== account.policyVersion;
        await show(service.db, name, command, when.now && isNew ? { loggedOut } : {});
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

type When = { days?: number; now?: boolean };

/**
 * Throws a SetUpError without --days or --now, so that nobody logs out an account's users by a
 * forgotten option.
 */
function requireWhen({ days, now }: When, loggedOut: number) {
  if (days === undefined && !now)
    throw new SetUpError(
      `Give --days <n> for a grace period, or --now. With --now, users without a verified device are logged out: ${loggedOut}.`,
    );
}

async function show(db: Db, name: string, command: Command, done: { loggedOut?: number } = {}) {
  const account = await accountNamed(db, name);
  const { total, configured, toGo } = await countUsers(db, account.id);
  const policy = {
    account: account.name,
    requirement: account.requirement,
    enforceAfter: account.enforceAfter?.toISOString() ?? null,
    version: account.policyVersion,
    users: total,
    configured,
    toGo,
  };
  const { toGo: withoutDevice, ...others } = policy;
  const { loggedOut } = done;
  const words = {
    ...others,
    "without a device": withoutDevice,
    ...(loggedOut !== undefined && { "logged out": loggedOut }),
  };
  answer(command, { ...policy, ...done }, fields(words));
}

function days(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > LONGEST_GRACE_DAYS)
    throw new InvalidArgumentError(`Give 1 to ${LONGEST_GRACE_DAYS} days.`);
  return number;
}
