import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { reasonSchema } from "../../api/http/inputs.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { requireRecentLogin } from "../../core/sessions/recent-login.ts";
import {
  findUsers,
  MAX_FOUND,
  recordLookUp,
  resetMultiFactor,
  unlock,
  userOf,
} from "../../core/support/support.ts";
import { viewForSupport } from "../../core/support/user-overview.ts";
import { actorsOf } from "../../store/postgres/events/actors.ts";
import type { ShownEvent } from "../../store/postgres/events/read-events.ts";
import type { User } from "../../store/postgres/schema.ts";
import { byWhom } from "../account/actors.ts";
import { followed } from "../devices/removal-under-way.tsx";
import { confirmPage } from "../layout/confirm.tsx";
import { field, type PortalContext, type PortalEnv, requireFit, takeForm } from "../layout/form.ts";
import { page, type Who } from "../layout/layout.tsx";
import { Field, Form } from "../layout/parts.tsx";
import { signedInAs } from "../layout/roles.ts";
import { type Faults, NO_FAULTS } from "../layout/words.ts";
import { requiredOf } from "../login/set-up.tsx";
import { SupportView } from "./user-overview.tsx";

/** The pages where Support finds a user, sees the user's state, unlocks and resets. */
export function supportPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  const operator = async (c: PortalContext) => {
    const who = await signedInAs(c, deps, "support");
    await requireRecentLogin(deps, who.session);
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    return { who, actor: { actorId: who.session.userId, origin, session: who.session } };
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

  app.get("/support/users/:id/reset", async (c) => {
    const { who } = await operator(c);
    return resetPage(c, who, await userOf(deps, c.req.param("id")));
  });

  for (const action of ["unlock", "reset"] as const) {
    const reasonField = `${action}-reason`;
    const page = action === "reset" ? "/support/users/:id/reset" : "/support/users/:id";
    const form = { at: page, about: reasonField };
    takeForm(app, `/support/users/:id/${action}`, form, async (c) => {
      const { actor } = await operator(c);
      const user = await userOf(deps, c.req.param("id") ?? "");
      const reason = field(c, reasonField);
      requireFit([reasonField, reasonSchema, reason]);
      const { act, done, nothing } = ACTIONS[action];
      const acted = act(deps, user, actor, reason);
      const to = `/support/users/${user.id}`;
      return followed(c, to, acted, ({ changed }) => (changed ? done : nothing));
    });
  }
}

const ACTIONS = {
  unlock: {
    act: unlock,
    done: "The user is unlocked.",
    nothing: "The user was not locked; nothing was changed.",
  },
  reset: {
    act: resetMultiFactor,
    done: "Multi-factor authentication was reset; the user was logged out everywhere.",
    nothing: "The user had no device; their sessions were ended.",
  },
};

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
            hint="Start of a user name, or a full ID."
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
          <p role="status">{foundWords(found.length)}</p>
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

function foundWords(found: number): string {
  if (found === 0) return "No users found.";
  if (found >= MAX_FOUND) return `Showing the first ${MAX_FOUND}. Refine your search.`;
  return found === 1 ? "1 user found." : `${found} users found.`;
}

async function userPage(c: PortalContext, deps: CoreDeps, who: Who, user: User) {
  const view = await viewForSupport(deps, user);
  const faults = c.get("faults");
  // A refused form is shown again, even if the lock has ended.
  const canUnlock =
    view.user.lockedAt || view.attemptsRemaining === 0 || faults.fields["unlock-reason"];
  const actorOf = await actorsOf(deps.db, view.events);
  const author = (event: ShownEvent) =>
    byWhom(event, actorOf(event), { accountId: user.accountId, names: true });
  const by = await requiredOf(deps, { userId: user.id });
  return page(
    c,
    { title: `Support: ${user.username}`, who },
    <>
      <h1>{user.username}</h1>
      <SupportView view={view} by={by} byWhom={author}>
        {canUnlock && (
          <section class="card">
            <h2>Unlock</h2>
            <p>Unlocks the user. Verify their identity first.</p>
            <Form action={`/support/users/${user.id}/unlock`}>
              <Reason action="unlock" faults={faults} />
              <button type="submit" class="danger">
                Unlock
              </button>
            </Form>
          </section>
        )}
        <section class="card">
          <div class="head">
            <h2>Reset multi-factor authentication</h2>
            <a class="button danger small" href={`/support/users/${user.id}/reset`}>
              Reset
            </a>
          </div>
          <p>Removes all devices and recovery codes and logs the user out everywhere.</p>
        </section>
      </SupportView>
      <p>
        <a href="/support">Find another user</a>
      </p>
    </>,
  );
}

/** Shows only the user's name, as the search does: showing more would count as a look-up. */
function resetPage(c: PortalContext, who: Who, { id, username }: User) {
  const question = {
    title: `Reset ${username}?`,
    action: `/support/users/${id}/reset`,
    button: "Reset multi-factor authentication",
    cancel: `/support/users/${id}`,
  };
  return confirmPage(
    c,
    who,
    question,
    <>
      <p>
        This removes all devices and recovery codes of {username} and logs them out everywhere.
        Verify their identity first.
      </p>
      <Reason action="reset" faults={c.get("faults")} />
    </>,
  );
}

const Reason = ({ action, faults }: { action: "unlock" | "reset"; faults: Faults }) => (
  <Field
    name={`${action}-reason`}
    label={`Reason to ${action}`}
    hint="The user can see this in their activity."
    faults={faults}
    autocomplete="off"
    required
  />
);
