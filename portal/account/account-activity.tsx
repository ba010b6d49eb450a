import type { Hono } from "hono";
import { NDJSON } from "../../api/http/headers.ts";
import { exportActivity } from "../../core/account/activity-export.ts";
import type { listAudit } from "../../core/audit.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { actorsOf } from "../../store/postgres/events/actors.ts";
import { type KnownUser, knownUsers } from "../../store/postgres/known-users.ts";
import { findUserByUsername } from "../../store/postgres/users.ts";
import type { PortalContext, PortalEnv } from "../layout/form.ts";
import { page } from "../layout/layout.tsx";
import { signedInAs } from "../layout/roles.ts";
import { faultyFields } from "../layout/words.ts";
import { cursorOf, EventRows } from "./activity.tsx";
import {
  type ActivityFilter,
  FilterForm,
  filtered,
  readFilter,
  withFilter,
} from "./activity-filter.tsx";
import { byWhom } from "./actors.ts";

const PATH = "/account/activity";
const EXPORT = `${PATH}/export`;

/** The activity of an administrator's account, as a page and as a file. */
export function accountActivityPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get(PATH, async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    const { accountId } = who.session;
    const { filter, people } = await peopleFilter(c, deps, accountId);
    const query = { ...filter.looked, ...people, ...cursorOf(c), accountId };
    const { events, next } = await filtered(deps, filter, query, "account");
    const known = await knownUsers(
      deps.db,
      events.map(({ userId }) => userId),
    );
    const actorOf = await actorsOf(deps.db, events);
    const aboutOf = (event: Event) => {
      const by = byWhom(event, actorOf(event), { accountId, names: true });
      return [userOf(event, known), by].filter(Boolean).join(", ");
    };
    return page(
      c,
      { title: "Activity of the account", who, status: filter.faults.status },
      <>
        <h1>Activity of the account</h1>
        <section class="card">
          <EventRows events={events} about={aboutOf} />
          {next !== null && (
            <a href={withFilter(PATH, filter, { before: String(next) })}>Older activity</a>
          )}
        </section>
        <section class="card">
          <h2>Filter</h2>
          <FilterForm path={PATH} filter={filter} people />
        </section>
        <section class="card">
          <h2>Export</h2>
          <p>Download all matching events as NDJSON, oldest first.</p>
          <a class="button" href={withFilter(EXPORT, filter)}>
            Download
          </a>
        </section>
        <p>
          <a href="/account">Account settings</a>
        </p>
      </>,
    );
  });

  app.get(EXPORT, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    const { accountId } = session;
    const { filter, people } = await peopleFilter(c, deps, accountId);
    if (filter.faults.status !== 200) return c.redirect(withFilter(PATH, filter), 303);
    const file = await exportActivity(deps, session, { ...filter.looked, ...people });
    return c.body(file, 200, NDJSON);
  });
}

/** The filter, and the IDs of the users that it names. Only users of the account are found. */
async function peopleFilter(
  c: PortalContext,
  { db }: CoreDeps,
  accountId: string,
): Promise<{ filter: ActivityFilter; people: { userId?: string; actorId?: string } }> {
  const filter = readFilter(c);
  const fields = { ...filter.faults.fields };
  const idOf = async (field: string) => {
    const name = filter.typed[field];
    const user = name === undefined ? undefined : await findUserByUsername(db, name);
    if (user?.accountId === accountId) return user.id;
    if (name !== undefined) fields[field] = "No user found with this name.";
  };
  const [userId, actorId] = [await idOf("user"), await idOf("actor")];
  const faults = Object.keys(fields).length > 0 ? faultyFields(fields) : filter.faults;
  return { filter: { ...filter, faults }, people: { ...(userId && { userId }), actorId } };
}

type Event = Awaited<ReturnType<typeof listAudit>>["events"][number];

/** The name of the user whom an event of the account is about. */
const userOf = ({ userId }: Event, known: ReadonlyMap<string, KnownUser>) =>
  userId === null ? "The account" : (known.get(userId)?.username ?? "A former user");
