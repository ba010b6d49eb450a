import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import type { CoreDeps } from "../../core/deps.ts";
import {
  describeSession,
  endOtherSessions,
  endOwnSession,
  liveSessions,
} from "../../core/sessions/sessions.ts";
import { done } from "../layout/flash.ts";
import { type PortalEnv, takeForm } from "../layout/form.ts";
import { page, whoOf } from "../layout/layout.tsx";
import { Form, Time } from "../layout/parts.tsx";
import { signedIn } from "../layout/session.ts";
import { browserOf } from "../layout/words.ts";

/** The page of the user's own sessions. */
export function sessionPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/sessions", async (c) => {
    const session = await signedIn(c, deps);
    const sessions = await liveSessions(deps, session);
    return page(
      c,
      { title: "Sessions", who: await whoOf(deps, session) },
      <>
        <h1>Sessions</h1>
        <section class="card">
          <p>
            These devices are logged in. If you don't recognise one, end it and{" "}
            <a href="/sessions/password">change your password</a>.
          </p>
          <ul class="rows">
            {sessions.map((one) => (
              <SessionRow session={describeSession(one, session.id)} />
            ))}
          </ul>
          {sessions.length > 1 && (
            <Form action="/sessions/end-others">
              <button type="submit" class="danger">
                End all other sessions
              </button>
            </Form>
          )}
        </section>
      </>,
    );
  });

  takeForm(app, "/sessions/end-others", { at: "/sessions" }, async (c) => {
    const session = await signedIn(c, deps);
    await endOtherSessions(deps, session, clientInfoOf(c, deps.config.TRUSTED_PROXIES));
    return done(c, "/sessions", "All other sessions have ended.");
  });

  takeForm(app, "/sessions/:id/end", { at: "/sessions" }, async (c) => {
    const session = await signedIn(c, deps);
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    // No error if it has already ended: that is what the user wants.
    await endOwnSession(deps, session, c.req.param("id") ?? "", origin);
    return done(c, "/sessions", "The session has ended.");
  });
}

const FACTORS: Record<string, string> = {
  pwd: "password",
  pop: "security key or passkey",
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
        {session.ip ?? "Unknown address"} {session.current && <span class="tag">This device</span>}
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
