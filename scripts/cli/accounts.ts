import { Argument, type Command, Option } from "commander";
import { newId } from "../../store/ids.ts";
import {
  createAccount,
  listAccounts,
  listLinkedAccounts,
  listLinkingAccounts,
  setAccountSetting,
} from "../../store/postgres/accounts.ts";
import { type NewEvent, recordEvent } from "../../store/postgres/events/events.ts";
import type { Account } from "../../store/postgres/schema.ts";
import { countUsers } from "../../store/postgres/user-lists.ts";
import { SetUpError } from "../progress.ts";
import { answer, columns, fields } from "./answer.ts";
import { accountNamed } from "./named.ts";
import { OPERATOR, withStores } from "./service.ts";

/**
 * The settings of an account by their names on the command line; see docs/identity-v2.md for the
 * first two.
 */
const SETTINGS = {
  "api-keys-bypass-mfa": "apiKeysBypassMfa",
  "enabling-is-own-call": "enablingIsOwnCall",
  "passkey-login": "passkeyLogin",
} as const;

type Setting = keyof typeof SETTINGS;

/** `account create|list|show|set`. */
export function accountCommands(program: Command) {
  const group = program.command("account").description("the accounts that users belong to");

  group
    .command("create")
    .description("create an account; add its users with: user create --account <name>")
    .argument("<name>", "a name that no other account has")
    .addOption(
      new Option("--kind <kind>", "panel, or cloud for one that panel accounts may link")
        .choices(["panel", "cloud"])
        .default("panel"),
    )
    .action(async (name: string, { kind }: Pick<Account, "kind">, command: Command) => {
      const trimmed = name.trim();
      if (!/^[^\p{C}]{1,64}$/u.test(trimmed))
        throw new SetUpError("An account name has 1 to 64 visible characters.");
      await withStores(async ({ db, clock }) => {
        const at = new Date(clock.now());
        const account = await db.transaction(async (tx) => {
          const created = await createAccount(tx, { name: trimmed, kind, at });
          if (created === "exists")
            throw new SetUpError(`The account ${trimmed} already exists. See: account list`);
          const { actorId, origin } = OPERATOR;
          await recordEvent(tx, {
            key: `account_created/${created.id}`,
            type: "account_created",
            ...{ at, accountId: created.id, actorId, ...origin },
          });
          return created;
        });
        answer(command, view(account), `Account ${trimmed} was created. Its ID is ${account.id}.`);
      });
    });

  group
    .command("list")
    .description("every account by name")
    .action(async (_options, command: Command) => {
      await withStores(async ({ db }) => {
        const accounts = (await listAccounts(db)).map(view);
        answer(command, { accounts }, columns(accounts, "No accounts yet."));
      });
    });

  group
    .command("show")
    .description("an account, its policy in short, its users in numbers, and its links")
    .argument("<account>", "its name or id")
    .action(async (name: string, _options, command: Command) => {
      await withStores(async ({ db }) => {
        const account = await accountNamed(db, name);
        const { total, configured } = await countUsers(db, account);
        const links = (await listLinkedAccounts(db, account.id)).map((one) => one.name);
        const linkedBy = (await listLinkingAccounts(db, account.id)).map((one) => one.name);
        const { apiKeysBypassMfa, enablingIsOwnCall, passkeyLogin } = account;
        const settings = { apiKeysBypassMfa, enablingIsOwnCall, passkeyLogin };
        const shown = { ...view(account), users: total, configured, links, linkedBy, ...settings };
        answer(command, shown, fields(shown));
      });
    });

  group
    .command("set")
    .description(
      "change a setting: two are for Identity API clients, and make multi-factor authentication " +
        "weaker if on (docs/identity-v2.md); passkey-login allows login by a passkey alone",
    )
    .argument("<account>", "its name or id")
    .addArgument(
      new Argument(
        "<setting>",
        "whether API keys log in without a second factor, whether multi-factor authentication " +
          "is turned on by a separate call, or whether a passkey alone logs in",
      ).choices(Object.keys(SETTINGS)),
    )
    .addArgument(
      new Argument("<state>", "only passkey-login is on by default").choices(["on", "off"]),
    )
    .action(async (name: string, setting: Setting, state: string, _options, command: Command) => {
      await withStores(async ({ db, clock }) => {
        const account = await accountNamed(db, name);
        const { actorId, origin } = OPERATOR;
        const event: NewEvent = {
          key: `account_setting_changed/${newId()}`,
          type: "account_setting_changed",
          at: new Date(clock.now()),
          ...{ accountId: account.id, actorId, ...origin, detail: { setting, state } },
        };
        const change = { accountId: account.id, setting: SETTINGS[setting], on: state === "on" };
        const changed = await setAccountSetting(db, change, event);
        const words = changed ? `is ${state} now` : `was already ${state}`;
        answer(command, { changed, setting, state }, `${setting} ${words} for ${account.name}.`);
      });
    });
}

const view = ({ id, name, kind, requirement, createdAt }: Account) => ({
  ...{ id, name, kind, requirement },
  createdAt: createdAt.toISOString(),
});
