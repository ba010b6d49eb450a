import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { emailSchema, usernameSchema } from "../../api/http/inputs.ts";
import type { SupportContact } from "../../config.ts";
import { accountOf } from "../../core/account/policy.ts";
import {
  type AccountUser,
  accountUser,
  addUser,
  changeUserRole,
  listAccountUsers,
} from "../../core/account/users.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { confirmPage } from "../layout/confirm.tsx";
import { EmailField, NewPasswordField, UsernameField } from "../layout/fields.tsx";
import { done } from "../layout/flash.ts";
import { field, type PortalContext, type PortalEnv, requireFit, takeForm } from "../layout/form.ts";
import { cardPage, page, type Who } from "../layout/layout.tsx";

import { ContactSupport, Form, Time } from "../layout/parts.tsx";
import { recentlyLoggedInAs, signedInAs } from "../layout/roles.ts";

import { METHOD_WORDS } from "../layout/words.ts";

const PAGE = 20;

/** The users of an administrator's account: who has a second factor, and who administers. */
export function userPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  const origin = (c: PortalContext) => clientInfoOf(c, deps.config.TRUSTED_PROXIES);
  const administrator = (c: PortalContext) => signedInAs(c, deps, "administrator");

  app.get("/account/users", async (c) => listPage(c, deps, await administrator(c)));

  const ROLE = "/account/users/:id/role";
  app.get(ROLE, async (c) => {
    const who = await recentlyLoggedInAs(c, deps, "administrator");
    return rolePage(c, who, await accountUser(deps, who.session, c.req.param("id")));
  });

  takeForm(app, ROLE, { at: ROLE }, async (c) => {
    const { session } = await administrator(c);
    const role = field(c, "role");
    if (role !== "administrator" && role !== "member")
      throw new Problem("invalid_request", "Choose a role.");
    const change = { userId: c.req.param("id") ?? "", role } as const;
    const { username } = await changeUserRole(deps, session, change, origin(c));
    const said = `${username} is now ${A_ROLE[role]} and must log in again.`;
    return done(c, "/account/users", said);
  });

  app.get("/account/users/new", async (c) =>
    newPage(c, await recentlyLoggedInAs(c, deps, "administrator"), deps.config),
  );

  const newUser = { at: "/account/users/new", about: { username_taken: "username" } };
  takeForm(app, "/account/users", newUser, async (c) => {
    const who = await administrator(c);
    const typed = { username: field(c, "username"), email: field(c, "email") };
    const password = c.get("form").get("password") ?? "";
    requireFit(
      ["username", usernameSchema, typed.username],
      ...(typed.email ? ([["email", emailSchema, typed.email]] as const) : []),
    );
    const user = { ...typed, email: typed.email || undefined, password, role: "member" } as const;
    await addUser(deps, who.session, user, origin(c));
    const said =
      "The user was added. Tell them their user name and password, and to change the password under Account > Change Password.";
    return done(c, "/account/users", said);
  });
}

const A_ROLE = { member: "a member", administrator: "an administrator" } as const;

const otherRole = ({ role }: AccountUser) =>
  role === "administrator" ? "member" : "administrator";

const ENTAILS = {
  administrator:
    "Administrators see and add users, make other administrators, and require two-factor authentication of everyone.",
  member: "Members see and change their own login only.",
} as const;

function rolePage(c: PortalContext, who: Who, user: AccountUser) {
  const { id, username } = user;
  const role = otherRole(user);
  const question = {
    title: `Make ${username} ${A_ROLE[role]}?`,
    action: `/account/users/${id}/role`,
    hidden: { role },
    button: `Make ${username} ${A_ROLE[role]}`,
    cancel: "/account/users",
  };
  return confirmPage(
    c,
    who,
    question,
    <p>
      {ENTAILS[role]} {username} will be logged out and must log in again.
    </p>,
  );
}

async function listPage(c: PortalContext, deps: CoreDeps, who: Who) {
  const atRisk = c.req.query("atRisk") === "true";
  const query = { after: c.req.query("after"), limit: PAGE, atRisk };
  const [{ users, next }, { requirement }] = await Promise.all([
    listAccountUsers(deps, who.session, query),
    accountOf(deps, who.session),
  ]);
  const needsKeys = requirement === "phishing_resistant";
  const more = new URLSearchParams({ after: next ?? "", ...(atRisk && { atRisk: "true" }) });
  return page(
    c,
    { title: "User List", who },
    <>
      <h1>User List</h1>
      <section class="card">
        <div class="head">
          <h2>{atRisk ? "Users without a second key" : "Users of the account"}</h2>
          <a class="button small" href="/account/users/new" aria-label="Add a user">
            Add
          </a>
        </div>
        {atRisk && (
          <p>
            They have no security key or passkey, or only one. Where one is required, who loses the
            last one cannot log in until Support helps.
          </p>
        )}
        <ul class="rows">
          {users.map((user) => (
            <UserRow
              user={user}
              own={user.id === who.session.userId}
              needsKeys={needsKeys}
              contact={c.get("support")}
            />
          ))}
        </ul>
        {atRisk && users.length === 0 && <p>Everyone has two keys, or is exempt.</p>}
        {next && <a href={`/account/users?${more}`}>Next users</a>}
      </section>
      <p>
        <a href={atRisk ? "/account/users" : "/account/users?atRisk=true"}>
          {atRisk ? "All users" : "Users without a second key"}
        </a>
        <br />
        <a href="/account">Account settings</a>
      </p>
    </>,
  );
}

type Row = { user: AccountUser; own: boolean; needsKeys: boolean; contact?: SupportContact };

function UserRow({ user, own, needsKeys, contact }: Row) {
  const { id, username, role, multiFactor, keys, locked, lastLoginAt } = user;
  const action = `Make ${A_ROLE[otherRole(user)]}`;
  return (
    <li>
      <div>
        {username}{" "}
        <span class={multiFactor.enabled ? "tag good" : "tag bad"}>
          {multiFactor.methods.map((method) => METHOD_WORDS[method]).join(" and ") || "Not set up"}
        </span>{" "}
        {needsKeys && keys < 2 && (
          <span class="tag bad">{keys === 1 ? "Only one key" : "No key"}</span>
        )}{" "}
        {locked && <span class="tag bad">Locked</span>}
        <div class="quiet">
          {role.charAt(0).toUpperCase() + role.slice(1)};{" "}
          {keys > 0 && `${keys} ${keys === 1 ? "key" : "keys"}; `}
          {lastLoginAt ? (
            <>
              last login <Time at={lastLoginAt} />
            </>
          ) : (
            "never logged in"
          )}
        </div>
        {locked && (
          <div>
            Only Support can unlock this user: <ContactSupport contact={contact} />.
          </div>
        )}
      </div>
      {role !== "support" && !own && (
        <a
          class="button second small"
          href={`/account/users/${id}/role`}
          aria-label={`${action}: ${username}`}
        >
          {action}
        </a>
      )}
    </li>
  );
}

function newPage(c: PortalContext, who: Who, { limits }: CoreDeps["config"]) {
  const faults = c.get("faults");
  return cardPage(
    c,
    { title: "Add a user", who },
    <>
      <p>Users add their own devices, when your account requires it or any time before.</p>
      <Form action="/account/users">
        <UsernameField label="User name" faults={faults} />
        <EmailField
          label="Email address (optional)"
          hint="We send security notifications here."
          faults={faults}
        />
        <NewPasswordField label="Temporary password" faults={faults} limits={limits} />
        <div class="actions">
          <button type="submit">Add the user</button>
          <a href="/account/users">Cancel</a>
        </div>
      </Form>
    </>,
  );
}
