import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { activity } from "../api/events.ts";
import { pageQuery } from "../api/schemas.ts";
import type { PortalEnv } from "./form.ts";
import { page, whoOf } from "./layout.tsx";
import { Time } from "./parts.tsx";
import { signedIn } from "./session.ts";
import { browserOf } from "./words.ts";

/** What happened to one's login and devices. */
export function activityPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/activity", async (c) => {
    const session = await signedIn(c, deps);
    const query = pageQuery.safeParse({ before: c.req.query("before") });
    const { userId } = session;
    const { events, next } = await activity(deps, {
      userId,
      ...(query.success ? query.data : pageQuery.parse({})),
    });
    return page(
      c,
      { title: "Activity", who: await whoOf(deps, session) },
      <>
        <h1>Activity</h1>
        <section class="card">
          <p>If you did not do something that stands here, log out everywhere and tell Support.</p>
          <EventRows events={events} />
          {next !== null && <a href={`/activity?before=${next}`}>Older activity</a>}
        </section>
      </>,
    );
  });
}

type Events = Awaited<ReturnType<typeof activity>>["events"];

/** Events, each with when and from where. */
export function EventRows({ events }: { events: Events }) {
  return (
    <ul class="rows">
      {events.map(({ at, type, ip, userAgent, detail }) => (
        <li>
          <div>
            {sentence(type)}
            <div class="quiet">
              {[ip, browserOf(userAgent), detail.reason].filter(Boolean).join(", ")}
            </div>
          </div>
          <div class="quiet">
            <Time at={at} />
          </div>
        </li>
      ))}
    </ul>
  );
}

/** An event's type as words: `otp_device_added` is "OTP device added". */
function sentence(type: string): string {
  const words = type.replaceAll("_", " ").replace(/\b(otp|sms)\b/g, (word) => word.toUpperCase());
  return words.charAt(0).toUpperCase() + words.slice(1);
}
