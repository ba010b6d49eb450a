import type { Hono } from "hono";
import { pageQuery } from "../../api/http/inputs.ts";
import type { listAudit } from "../../core/audit.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { OPERATOR_ID } from "../../store/ids.ts";
import { actorsOf } from "../../store/postgres/events/actors.ts";
import type { PortalContext, PortalEnv } from "../layout/form.ts";
import { page, whoOf } from "../layout/layout.tsx";
import { ContactSupport, Time, WithTimes } from "../layout/parts.tsx";
import { signedIn } from "../layout/session.ts";
import { browserOf } from "../layout/words.ts";
import { FilterForm, filtered, readFilter, withFilter } from "./activity-filter.tsx";
import { byWhom } from "./actors.ts";
import { reasonOf, sentenceOf } from "./event-words.ts";

const PATH = "/activity";

/** The activity of the user's own login and devices. */
export function activityPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get(PATH, async (c) => {
    const session = await signedIn(c, deps);
    const filter = readFilter(c);
    const query = { ...filter.looked, ...cursorOf(c), userId: session.userId };
    const { events, next } = await filtered(deps, filter, query, "user");
    const actorOf = await actorsOf(deps.db, events);
    const { accountId } = session;
    return page(
      c,
      { title: "Activity", who: await whoOf(deps, session), status: filter.faults.status },
      <>
        <h1>Activity</h1>
        <section class="card">
          <p>
            Don't recognise something? <a href="/sessions">End your other sessions</a>,{" "}
            <a href="/sessions/password">change your password</a>, and{" "}
            <ContactSupport contact={c.get("support")} />.
          </p>
          <EventRows
            events={events}
            about={(event) => byWhom(event, actorOf(event), { accountId, names: false })}
          />
          {next !== null && (
            <a href={withFilter(PATH, filter, { before: String(next) })}>Older activity</a>
          )}
        </section>
        <section class="card">
          <h2>Filter</h2>
          <FilterForm path={PATH} filter={filter} />
        </section>
      </>,
    );
  });
}

/** The page that the URL asks for; the first page if that is not valid. */
export function cursorOf(c: PortalContext) {
  const query = pageQuery.safeParse({ before: c.req.query("before") });
  return query.success ? query.data : pageQuery.parse({});
}

type Events = Awaited<ReturnType<typeof listAudit>>["events"];
type Event = Events[number];

/** A list of events with their times and places; `about` adds the user concerned or the actor. */
export function EventRows({ events, about }: { events: Events; about?: (event: Event) => string }) {
  if (events.length === 0) return <p class="quiet">No activity found.</p>;
  return (
    <ul class="rows">
      {events.map((event) => (
        <li>
          <div>
            <WithTimes text={sentenceOf(event)} />
            {about?.(event) && <div>{about(event)}</div>}
            <div class="quiet">
              {[event.ip, clientOf(event), reasonOf(event)].filter(Boolean).join(", ")}
            </div>
          </div>
          <div class="quiet">
            <Time at={event.at} />
          </div>
        </li>
      ))}
    </ul>
  );
}

/**
 * An operator's event has "command line of <system user>" as its user agent, which is shown as it
 * is.
 */
const clientOf = ({ actorId, userAgent }: Event) =>
  actorId === OPERATOR_ID ? userAgent : browserOf(userAgent);
