import { type Command, Option } from "commander";
import { emailSchema, usernameSchema } from "../../api/http/inputs.ts";
import { subjectOf, userEvent } from "../../core/audit.ts";
import { endSessions } from "../../core/sessions/sessions.ts";
import { recordLookUp } from "../../core/support/support.ts";
import { describeUser, viewForSupport } from "../../core/support/user-overview.ts";
import { changeEmail } from "../../core/users/email.ts";
import { replacePassword } from "../../core/users/password.ts";
import { normalizeAddress } from "../../store/addresses.ts";
import type { EventType } from "../../store/events/event-types.ts";
import { hashPassword } from "../../store/passwords.ts";
import { changeRole } from "../../store/postgres/accounts.ts";
import type { Role, User } from "../../store/postgres/schema.ts";
import { listUsers } from "../../store/postgres/user-lists.ts";
import { createUser, setRole } from "../../store/postgres/users.ts";
import { SetUpError } from "../progress.ts";
import { answer, columns, fields } from "./answer.ts";
import { accountNamed, userNamed } from "./named.ts";
import { newPassword, PASSWORD_STDIN } from "./passwords.ts";
import { OPERATOR, type Stores, withService, withStores } from "./service.ts";

const ROLES = ["member", "administrator", "support"] as const;
const PAGE = 200;

/** `user create|list|show|set-role|set-password|set-email`. */
export function userCommands(program: Command) {
  const group = program.command("user").description("users, and the roles that they have");

  group
    .command("create")
    .description("add a user to an account")
    .argument("<username>", "the name to log in with; no other user may have it")
    .requiredOption("--account <account>", "name or id of the account")
    .addOption(
      new Option(
        "--role <role>",
        "member, administrator of the account, or support for all accounts; support sets up a second factor at the first login",
      )
        .choices(ROLES)
        .default("member"),
    )
    .option("--email <address>", "where notifications about the login go")
    .option(...PASSWORD_STDIN)
    .action(create);

  group
    .command("list")
    .description("the users of an account by name, with their methods, locks and last logins")
    .requiredOption("--account <account>", "name or id of the account")
    .action(list);

  group
    .command("show")
    .description("a user's state, devices (masked), open flows and events, as Support sees them")
    .argument("<user>", "user name or id")
    .action(show);

  group
    .command("set-role")
    .description("give a user another role; their sessions end")
    .argument("<user>", "user name or id")
    .addArgument(group.createArgument("<role>", "the new role").choices(ROLES))
    .action(changeRoleOf);

  group
    .command("set-password")
    .description("give a user another password; their sessions end")
    .argument("<user>", "user name or id")
    .option(...PASSWORD_STDIN)
    .action(changePassword);

  group
    .command("set-email")
    .description("change where a user's notifications go; without an address they stop")
    .argument("<user>", "user name or id")
    .argument("[address]", "the new address; we notify both it and the old one")
    .action(changeEmailOf);
}

type NewUser = { account: string; role: Role; email?: string; passwordStdin?: boolean };

async function create(username: string, options: NewUser, command: Command) {
  const fault = usernameSchema.safeParse(username).error?.issues[0];
  if (fault) throw new SetUpError(fault.message);
  const email = addressOf(options.email);
  await withStores(async (stores) => {
    const { db, clock, config } = stores;
    const { password, generated } = await newPassword(config.limits, username, options);
    const { role } = options;
    const { id: accountId } = await accountNamed(db, options.account);
    const passwordHash = await hashPassword(password);
    const at = new Date(clock.now());
    const { userId: _, ...event } = eventOf(stores, { id: "", accountId }, "user_added", { role });
    const added = { accountId, username, email, passwordHash, role, at };
    const user = await createUser(db, added, event);
    if (user === "exists") throw new SetUpError(`The user name ${username} is taken.`);
    const words = `User ${user.username} (${role}) was created.`;
    answer(
      command,
      { ...describeUser(user), password: generated },
      generated ? `${words} The password, shown only once: ${generated}` : words,
    );
  });
}

async function list({ account }: { account: string }, command: Command) {
  await withStores(async ({ db }) => {
    const { id: accountId } = await accountNamed(db, account);
    const users = [];
    let after: string | undefined;
    do {
      const page = await listUsers(db, { accountId, after, limit: PAGE });
      users.push(...page.users);
      after = page.next;
    } while (after !== undefined);
    const rows = users.map(({ user, methods }) => {
      const { id, username, role, lockedAt, lastLoginAt } = describeUser(user);
      return { id, username, role, methods, lockedAt, lastLoginAt };
    });
    answer(command, { users: rows }, columns(rows, "The account has no users yet."));
  });
}

async function show(name: string, _options: object, command: Command) {
  await withService(async (service) => {
    const user = await userNamed(service.db, name);
    await recordLookUp(service, user, OPERATOR);
    const view = await viewForSupport(service, user, "operator");
    const { enabled, required, defaultMethod, recoveryCodes } = view.multiFactor;
    const words = {
      ...view.user,
      multiFactor: enabled ? `on, ${defaultMethod} first` : "off",
      required,
      devices: view.multiFactor.devices.map(
        (device) => `${device.name ?? device.phoneNumber} (${device.type}, ${device.state})`,
      ),
      recoveryCodes: recoveryCodes.remaining,
      attemptsRemaining: view.attemptsRemaining,
      openFlows: view.flows.map(({ type, state }) => `${type} (${state})`),
    };
    const events = view.events.map(({ at, type, actorId }) => ({ at, event: type, by: actorId }));
    answer(command, view, `${fields(words)}\n\n${columns(events, "No events.")}`);
  });
}

async function changeRoleOf(name: string, role: Role, _options: object, command: Command) {
  await withService(async (service) => {
    const user = await userNamed(service.db, name);
    const { id: userId, accountId } = user;
    const event = eventOf(service, user, "role_changed", { role });
    const outcome = await changeRole(service.db, { accountId, userId, role }, event);
    if (outcome === "last_administrator")
      throw new SetUpError(
        `${user.username} is the account's last administrator: make another one first.`,
      );
    // `changeRole` refuses Support operators, because administrators may not change them. This
    // command may.
    const changed =
      outcome === "changed" ||
      (outcome === "support" && (await setRole(service.db, { userId, role }, event)));
    if (changed) await endSessions(service, userId, "role_changed");
    const words = changed ? `is now ${role}; all sessions have ended` : `was already ${role}`;
    answer(command, { changed, role }, `${user.username} ${words}.`);
  });
}

async function changePassword(
  name: string,
  options: { passwordStdin?: boolean },
  command: Command,
) {
  await withService(async (service) => {
    const user = await userNamed(service.db, name);
    const { password, generated } = await newPassword(
      service.config.limits,
      user.username,
      options,
    );
    const { id: userId } = user;
    const passwordHash = await hashPassword(password);
    const event = eventOf(service, user, "password_changed");
    const { username } = user;
    await replacePassword(service, { userId, username, passwordHash }, event, OPERATOR);
    const words = `${user.username} has another password; every session has ended.`;
    answer(
      command,
      { changed: true, password: generated },
      generated ? `${words} The password, shown only once: ${generated}` : words,
    );
  });
}

async function changeEmailOf(
  name: string,
  typed: string | undefined,
  _options: object,
  command: Command,
) {
  const email = addressOf(typed) ?? null;
  await withService(async (service) => {
    const user = await userNamed(service.db, name);
    const changed = await changeEmail(service, subjectOf(user), email, OPERATOR);
    const words = changed ? "now go to" : "already went to";
    answer(
      command,
      { changed, email },
      `Notifications for ${user.username} ${words} ${email ?? "nobody"}.`,
    );
  });
}

function addressOf(typed: string | undefined): string | undefined {
  if (typed === undefined) return undefined;
  if (!emailSchema.safeParse(typed).success)
    throw new SetUpError(`${typed} is not an email address.`);
  return normalizeAddress(typed);
}

function eventOf(
  stores: Stores,
  { id: userId, accountId }: Pick<User, "id" | "accountId">,
  type: EventType,
  detail: Record<string, unknown> = {},
) {
  const { actorId, origin } = OPERATOR;
  return { ...userEvent(stores, { userId, accountId }, type, origin, detail), actorId };
}
