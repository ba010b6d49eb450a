import type { Hono } from "hono";
import {
  type AccountUser,
  addUser,
  changeUserRole,
  listAccountUsers,
} from "../api/account-users.ts";
import type { Deps } from "../api/deps.ts";
import { originOf } from "../api/origin.ts";
import { Problem } from "../api/problem.ts";
import { emailSchema, usernameSchema } from "../api/schemas.ts";
import { field, type PortalContext, type PortalEnv, requireFit } from "./form.ts";
import { page, type Who } from "./layout.tsx";
import { Fault, Field, Form, Notice, Time } from "./parts.tsx";
import { signedInAs } from "./roles.ts";
import { faultsOf, METHOD_WORDS, NO_FAULTS } from "./words.ts";

const PAGE = 20;

const DONE: Record<string, string> = {
  added: "The user was added. Tell them their user name and password.",
  role: "The role was changed; the user logs in again.",
};

/** The users of an administrator's account: who has a second factor, and who administers. */
export function userPages(app: Hono<PortalEnv>, deps: Deps) {
  const origin = (c: PortalContext) => originOf(c, deps.config.TRUSTED_PROXIES);
  const administrator = (c: PortalContext) => signedInAs(c, deps, "administrator");

  app.get("/account/users", async (c) => {
    const who = await administrator(c);
    return listPage(c, deps, who);
  });

  app.post("/account/users/:id/role", async (c) => {
    const who = await administrator(c);
    const role = field(c, "role") === "administrator" ? "administrator" : "member";
    try {
      await changeUserRole(deps, who.session, { userId: c.req.param("id"), role }, origin(c));
      return c.redirect("/account/users?done=role", 303);
    } catch (error) {
      return listPage(c, deps, who, faultsOf(error));
    }
  });

  app.get("/account/users/new", async (c) =>
    newPage(c, await administrator(c), { username: "", email: "" }),
  );

  app.post("/account/users", async (c) => {
    const who = await administrator(c);
    const typed = { username: field(c, "username"), email: field(c, "email") };
    const password = c.get("form").get("password") ?? "";
    try {
      requireFit("username", usernameSchema, typed.username);
      if (typed.email) requireFit("email", emailSchema, typed.email);
      const user = { ...typed, email: typed.email || undefined, password, role: "member" } as const;
      await addUser(deps, who.session, user, origin(c));
      return c.redirect("/account/users?done=added", 303);
    } catch (error) {
      const taken = error instanceof Problem && error.code === "username_taken";
      return newPage(c, who, typed, faultsOf(error, taken ? "username" : undefined));
    }
  });
}

async function listPage(c: PortalContext, deps: Deps, who: Who, faults = NO_FAULTS) {
  const query = { after: c.req.query("after"), limit: PAGE };
  const { users, next } = await listAccountUsers(deps, who.session, query);
  const done = DONE[c.req.query("done") ?? ""];
  return page(
    c,
    { title: "Users", who, status: faults.status },
    <>
      <h1>Users</h1>
      {done && <Notice kind="good">{done}</Notice>}
      <Fault faults={faults} />
      <section class="card">
        <div class="head">
          <h2>Users of the account</h2>
          <a class="button small" href="/account/users/new" aria-label="Add a user">
            Add
          </a>
        </div>
        <ul class="rows">
          {users.map((user) => (
            <UserRow user={user} own={user.id === who.session.userId} />
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

function UserRow({ user, own }: { user: AccountUser; own: boolean }) {
  const { id, username, role, multiFactor, locked, lastLoginAt } = user;
  const other = role === "administrator" ? "member" : "administrator";
  const action = other === "member" ? "Make a member" : "Make an administrator";
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
      </div>
      {role !== "support" && !own && (
        <Form action={`/account/users/${id}/role`}>
          <input type="hidden" name="role" value={other} />
          <button type="submit" class="second small" aria-label={`${action}: ${username}`}>
            {action}
          </button>
        </Form>
      )}
    </li>
  );
}

type Typed = { username: string; email: string };

function newPage(c: PortalContext, who: Who, { username, email }: Typed, faults = NO_FAULTS) {
  return page(
    c,
    { title: "Add a user", who, narrow: true, status: faults.status },
    <>
      <Fault faults={faults} />
      <section class="card">
        <h1>Add a user</h1>
        <p>
          They set up their devices themselves, at the first login where the account asks for it.
        </p>
        <Form action="/account/users">
          <Field
            name="username"
            label="User name"
            faults={faults}
            value={username}
            autocomplete="off"
            autocapitalize="none"
            spellcheck="false"
            required
          />
          <Field
            name="email"
            label="E-mail address (optional)"
            hint="They are told there of what happens to their login."
            faults={faults}
            value={email}
            type="email"
            autocomplete="off"
          />
          <Field
            name="password"
            label="First password"
            hint="At least 8 characters."
            faults={faults}
            type="password"
            autocomplete="new-password"
            required
          />
          <div class="actions">
            <button type="submit">Add the user</button>
            <a href="/account/users">Cancel</a>
          </div>
        </Form>
      </section>
    </>,
  );
}
