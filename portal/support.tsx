import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { requireFresh } from "../api/fresh.ts";
import { originOf } from "../api/origin.ts";
import { reasonSchema } from "../api/schemas.ts";
import { findUsers, recordLookUp, resetMultiFactor, unlock, userOf } from "../api/support.ts";
import { viewForSupport } from "../api/support-view.ts";
import type { User } from "../store/postgres/schema.ts";
import { field, type PortalContext, type PortalEnv } from "./form.ts";
import { page, type Who } from "./layout.tsx";
import { Field, Form, Notice } from "./parts.tsx";
import { signedInAs } from "./roles.ts";
import { SupportView } from "./support-view.tsx";
import { type Faults, faultsOf, faultyFields, NO_FAULTS } from "./words.ts";

const DONE: Record<string, string> = {
  unlocked: "The user is unlocked.",
  not_locked: "The user was not locked; nothing was changed.",
  reset: "Multi-factor authentication was reset; the user was logged out everywhere.",
  no_device: "The user had no device; their sessions were ended.",
};

/** Support finds a user, sees what is the matter, unlocks and resets. */
export function supportPages(app: Hono<PortalEnv>, deps: Deps) {
  const operator = async (c: PortalContext) => {
    const who = await signedInAs(c, deps, "support");
    await requireFresh(deps, who.session);
    const origin = originOf(c, deps.config.TRUSTED_PROXIES);
    return { who, actor: { actorId: who.session.userId, origin } };
  };

  app.get("/support", async (c) => {
    const { who } = await operator(c);
    const query = c.req.query("query")?.trim() ?? "";
    return searchPage(c, who, query, query ? await findUsers(deps, query) : undefined);
  });

  app.get("/support/users/:id", async (c) => {
    const { who, actor } = await operator(c);
    const user = await userOf(deps, c.req.param("id"));
    await recordLookUp(deps, user, actor);
    return userPage(c, deps, who, user);
  });

  app.post("/support/users/:id/:action{unlock|reset}", async (c) => {
    const { who, actor } = await operator(c);
    const user = await userOf(deps, c.req.param("id"));
    const action = c.req.param("action");
    const reason = reasonSchema.safeParse(field(c, `${action}-reason`));
    if (!reason.success) {
      const message = reason.error.issues[0]?.message ?? "";
      return userPage(c, deps, who, user, faultyFields({ [`${action}-reason`]: message }));
    }
    try {
      const done =
        action === "unlock"
          ? (await unlock(deps, user, actor, reason.data)).changed
            ? "unlocked"
            : "not_locked"
          : (await resetMultiFactor(deps, user, actor, reason.data)).changed
            ? "reset"
            : "no_device";
      return c.redirect(`/support/users/${user.id}?done=${done}`, 303);
    } catch (error) {
      return userPage(c, deps, who, user, faultsOf(error, `${action}-reason`));
    }
  });
}

function searchPage(c: PortalContext, who: Who, query: string, found: User[] | undefined) {
  return page(
    c,
    { title: "Support", who },
    <>
      <h1>Support</h1>
      <section class="card">
        <form method="get" action="/support">
          <Field
            name="query"
            label="Find a user"
            hint="The beginning of the user name, or the whole id."
            faults={NO_FAULTS}
            value={query}
            type="search"
            autocomplete="off"
            required
          />
          <button type="submit">Search</button>
        </form>
      </section>
      {found && (
        <section class="card">
          <h2>Found</h2>
          <p role="status">
            {found.length === 0 ? "No user is called so." : `${found.length} of at most 20.`}
          </p>
          <ul class="rows">
            {found.map(({ id, username, lockedAt }) => (
              <li>
                <div>
                  <a href={`/support/users/${id}`}>{username}</a>{" "}
                  {lockedAt && <span class="tag bad">Locked</span>}
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>,
  );
}

async function userPage(c: PortalContext, deps: Deps, who: Who, user: User, faults = NO_FAULTS) {
  const done = DONE[c.req.query("done") ?? ""];
  const view = await viewForSupport(deps, user);
  return page(
    c,
    { title: `Support: ${user.username}`, who, status: faults.status },
    <>
      <h1>{user.username}</h1>
      {done && <Notice kind="good">{done}</Notice>}
      <SupportView view={view} />
      <Action
        id={user.id}
        action="unlock"
        title="Unlock"
        explained="Ends the lock after too many wrong passcodes. Make sure of the person first."
        faults={faults}
      />
      <Action
        id={user.id}
        action="reset"
        title="Reset multi-factor authentication"
        explained="For a person who lost devices and recovery codes: removes all of them, and logs the user out everywhere."
        faults={faults}
      />
      <p>
        <a href="/support">Find another user</a>
      </p>
    </>,
  );
}

type ActionProps = {
  id: string;
  action: "unlock" | "reset";
  title: string;
  explained: string;
  faults: Faults;
};

function Action({ id, action, title, explained, faults }: ActionProps) {
  return (
    <section class="card">
      <h2>{title}</h2>
      <p>{explained}</p>
      <Form action={`/support/users/${id}/${action}`}>
        <Field
          name={`${action}-reason`}
          label={`Reason to ${action}`}
          hint="It is written into the user's activity."
          faults={faults}
          autocomplete="off"
          required
        />
        <button type="submit" class="danger">
          {title}
        </button>
      </Form>
    </section>
  );
}
