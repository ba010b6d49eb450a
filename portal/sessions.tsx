import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { describeSession } from "../api/sessions.ts";
import { listSessions, revokeSession } from "../store/redis/sessions.ts";
import type { PortalEnv } from "./form.ts";
import { page, whoOf } from "./layout.tsx";
import { Form, Notice, Time } from "./parts.tsx";
import { signedIn } from "./session.ts";
import { browserOf } from "./words.ts";

/** Where one is logged in. */
export function sessionPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/sessions", async (c) => {
    const session = await signedIn(c, deps);
    const at = { now: deps.clock.now(), idleMs: deps.config.limits.session.idleMs };
    const sessions = await listSessions(deps.redis, session, at);
    return page(
      c,
      { title: "Sessions", who: await whoOf(deps, session) },
      <>
        <h1>Sessions</h1>
        {c.req.query("done") !== undefined && <Notice kind="good">The session has ended.</Notice>}
        <section class="card">
          <p>
            You are logged in here. End what you do not know, then{" "}
            <a href="/sessions/password">change your password</a>.
          </p>
          <ul class="rows">
            {sessions.map((one) => (
              <SessionRow session={describeSession(one, session.id)} />
            ))}
          </ul>
        </section>
      </>,
    );
  });

  app.post("/sessions/:id/end", async (c) => {
    const { userId } = await signedIn(c, deps);
    // One that has ended already is as the person wanted it.
    const sessionId = c.req.param("id");
    await revokeSession(deps.redis, { userId, sessionId, reason: "ended_by_user" });
    return c.redirect("/sessions?done", 303);
  });
}

const FACTORS: Record<string, string> = {
  pwd: "password",
  api_key: "API key",
  sms: "SMS",
  otp: "OTP",
  recovery_code: "recovery code",
};

function SessionRow({ session }: { session: ReturnType<typeof describeSession> }) {
  const factors = session.amr.flatMap((name) => FACTORS[name] ?? []).join(" and ");
  return (
    <li>
      <div>
        {session.ip ?? "Unknown address"} {session.current && <span class="tag">This one</span>}
        <div class="quiet">
          Logged in <Time at={session.authenticatedAt} /> by {factors}; last seen{" "}
          <Time at={session.lastSeenAt} />
        </div>
        <div class="quiet">{browserOf(session.userAgent)}</div>
      </div>
      {!session.current && (
        <Form action={`/sessions/${session.id}/end`}>
          <button type="submit" class="danger small">
            End this session
          </button>
        </Form>
      )}
    </li>
  );
}
