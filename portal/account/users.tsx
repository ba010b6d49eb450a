import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { emailSchema, usernameSchema } from "../../api/http/inputs.ts";
import type { SupportContact } from "../../config.ts";
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
  const query = { after: c.req.query("after"), limit: PAGE };
  const { users, next } = await listAccountUsers(deps, who.session, query);
  return page(
    c,
    { title: "User List", who },
    <>
      <h1>User List</h1>
      <section class="card">
        <div class="head">
          <h2>Users of the account</h2>
          <a class="button small" href="/account/users/new" aria-label="Add a user">
            Add
          </a>
        </div>
        <ul class="rows">
          {users.map((user) => (
            <UserRow user={user} own={user.id === who.session.userId} contact={c.get("support")} />
          ))}
        </ul>
        {next && <a href={`/account/users?after=${encodeURIComponent(next)}`}>Next users</a>}
      </section>
      <p>
        <a href="/account">Account settings</a>
      </p>
    </>,
  );
}

type Row = { user: AccountUser; own: boolean; contact?: SupportContact };

function UserRow({ user, own, contact }: Row) {
  const { id, username, role, multiFactor, locked, lastLoginAt } = user;
  const action = `Make ${A_ROLE[otherRole(user)]}`;
  return (
    <li>
      <div>
        {username}{" "}
        <span class={multiFactor.enabled ? "tag good" : "tag bad"}>
          {multiFactor.methods.map((method) => METHOD_WORDS[method]).join(" and ") || "Not set up"}
        </span>{" "}
        {locked && <span class="tag bad">Locked</span>}
        <div class="quiet">
          {role.charAt(0).toUpperCase() + role.slice(1)};{" "}
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
