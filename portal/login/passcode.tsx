import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { assertionResponseSchema } from "../../api/http/credentials.ts";
import { methodSchema } from "../../api/http/inputs.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { duration } from "../../core/duration.ts";
import { passcodeSendWait } from "../../core/limits/send-limits.ts";
import type { Challenge } from "../../core/login/challenge-view.ts";
import { chooseMethod, getChallenge, resendPasscode } from "../../core/login/challenges.ts";
import type { Authenticated } from "../../core/login/complete-challenge.ts";
import { verifyKey } from "../../core/login/keys.ts";
import { verifyPasscode } from "../../core/login/verify-passcode.ts";
import { Problem } from "../../core/problem.ts";
import { findRelyingParty } from "../../core/webauthn/relying-party.ts";
import { ownerOf } from "../../store/ids.ts";
import type { Method } from "../../store/methods.ts";
import { undelivered } from "../layout/delivery-help.ts";
import { done } from "../layout/flash.ts";
import {
  badFields,
  field,
  ownPath,
  type PortalContext,
  type PortalEnv,
  takeForm,
  ticked,
} from "../layout/form.ts";
import { credentialIn } from "../layout/keys.tsx";
import { cardPage } from "../layout/layout.tsx";
import { CodeField, ContactSupport, Field, Form, Notice, Reload, Time } from "../layout/parts.tsx";
import { liveSession } from "../layout/session.ts";
import type { Faults } from "../layout/words.ts";
import { enter } from "./enter.ts";
import { KeyStep, USE_KEY } from "./key-step.tsx";
import { answeredPage, overPage } from "./passcode-over.tsx";

/** The second step of a login. */
export function passcodePages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/login/:id", async (c) => {
    const challenge = await getChallenge(deps, c.req.param("id"));
    if (challenge.state === "authenticated")
      return (await liveSession(c, deps)) ? c.redirect(goalOf(c), 303) : answeredPage(c, goalOf(c));
    return passcodePage(c, deps, challenge, await waitOf(deps, challenge.id));
  });

  takeForm(app, "/login/:id/verify", { at: placeOf, about: "passcode" }, async (c) => {
    const verified = await answered(c, deps);
    return enter(c, deps, verified, goalOf(c), usedCode(verified.recoveryCodesRemaining));
  });

  takeForm(app, "/login/:id/resend", { at: placeOf }, async (c) => {
    await resendPasscode(deps, idOf(c));
    return c.redirect(pathOf(c), 303);
  });

  takeForm(app, "/login/:id/method", { at: placeOf }, async (c) => {
    const method = methodSchema.safeParse(field(c, "method"));
    if (!method.success) throw badFields({ method: "Choose one of the methods." });
    const wait = await waitOf(deps, idOf(c));
    const { state, deliveredTo: to } = await chooseMethod(deps, idOf(c), method.data);
    // No new passcode is sent so soon. The last one still works.
    const still = method.data === "sms" && state === "awaiting_passcode" && wait > 0;
    if (!still) return c.redirect(pathOf(c), 303);
    const then = `Enter it, or request another in ${duration(wait)}.`;
    return done(c, pathOf(c), `We sent a passcode to ${to} moments ago. ${then}`);
  });
}

/** Answers the challenge by what the form has: the answer of a key, a passcode, or a recovery code. */
function answered(c: PortalContext, deps: CoreDeps): Promise<Authenticated> {
  const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
  if (ticked(c, "credential"))
    return verifyKey(deps, idOf(c), credentialIn(c, assertionResponseSchema), origin);
  return verifyPasscode(deps, idOf(c), field(c, "passcode"), origin).catch((error) => {
    throw isForRecovery(c) ? inTheWordsOfRecovery(error) : error;
  });
}

/** The message after a login with a recovery code; empty after any other. */
function usedCode(left: number | undefined): string {
  if (left === undefined) return "";
  if (left === 0) return "You used your last recovery code. Generate new ones now.";
  return `You used a recovery code. You have ${left} left.`;
}

const idOf = (c: PortalContext) => c.req.param("id") ?? "";
const goalOf = (c: PortalContext) => ownPath(c.get("form").get("to") ?? c.req.query("to"));

/** The challenge's page, with the part of its query that its forms need. */
function placeOf(c: PortalContext): string {
  return pathOf(c, isForRecovery(c) ? { with: "recovery" } : {});
}

const isForRecovery = (c: PortalContext) =>
  (c.get("form").get("with") ?? c.req.query("with")) === "recovery";

/** The recovery form only takes recovery codes, so its error only mentions those. */
const inTheWordsOfRecovery = (error: unknown) =>
  error instanceof Problem && error.code === "invalid_request"
    ? badFields({ passcode: "Enter all 16 characters of the code." })
    : error;

function pathOf(c: PortalContext, more: Record<string, string> = {}): string {
  return `/login/${encodeURIComponent(idOf(c))}?${new URLSearchParams({ to: goalOf(c), ...more })}`;
}

function passcodePage(c: PortalContext, deps: CoreDeps, challenge: Challenge, wait: number) {
  if (challenge.next.length === 0) return overPage(c, challenge);
  const faults = c.get("faults");
  const recovery = challenge.takesRecoveryCode && isForRecovery(c);
  const { intervalMs } = deps.config.limits.passcode;
  const rp = findRelyingParty(deps.config);
  const byKey = !recovery && challenge.method === "webauthn";
  return cardPage(
    c,
    {
      title: recovery ? "Enter a recovery code" : TITLES[challenge.method],
      step: "Second step of your login",
      usesKeys: byKey && rp !== undefined,
      after: (
        <section class="card">
          <h2>Try another way</h2>
          <div class="ways" id="offers">
            {challenge.next.includes("resend") && !recovery && (
              <Resend c={c} id={challenge.id} wait={wait} soon={wait <= intervalMs} />
            )}
            <OtherMethods c={c} challenge={challenge} />
            {challenge.takesRecoveryCode && (
              <a href={pathOf(c, recovery ? {} : { with: "recovery" })}>
                {recovery ? BACK[challenge.method] : "Use a recovery code"}
              </a>
            )}
            {!challenge.takesRecoveryCode && (
              <p>
                Lost your key? Use another one that you added. To have your devices reset,{" "}
                <ContactSupport contact={c.get("support")} />.
              </p>
            )}
            <a href="/login">Log in as someone else</a>
          </div>
        </section>
      ),
    },
    byKey ? (
      <KeyStep challenge={challenge} rp={rp}>
        <Goal c={c} />
      </KeyStep>
    ) : (
      <>
        {!recovery && <Delivery challenge={challenge} wait={wait} />}
        <Form action={`/login/${challenge.id}/verify`}>
          <Goal c={c} recovery={recovery} />
          {recovery ? <RecoveryField faults={faults} /> : <PasscodeField faults={faults} />}
          <p class="quiet">
            Enter the {recovery ? "code" : "passcode"} before <Time at={challenge.expiresAt} />.
          </p>
          <button type="submit">Verify Code</button>
        </Form>
      </>
    ),
  );
}

const PASSCODE = "Enter your passcode";

const TITLES: Record<Method, string> = { webauthn: USE_KEY, otp: PASSCODE, sms: PASSCODE };

/** The links from the recovery codes back to the challenge's method. */
const BACK: Record<Method, string> = {
  webauthn: USE_KEY,
  otp: "Use a passcode",
  sms: "Use a passcode",
};

/** What to do if a passcode does not arrive. */
const helpFor = ({ methods }: Challenge) => ({
  again: "Send a new passcode, or try another way.",
  instead:
    [...methods.map((method) => INSTEAD[method]), "Use a recovery code."].find(Boolean) ?? "",
});

const INSTEAD: Partial<Record<Method, string>> = {
  webauthn: "Use your security key, your passkey or a recovery code.",
  otp: "Use your authenticator app or a recovery code.",
};

/**
 * Where the passcode comes from, and the state of its delivery. The page checks again while that
 * may change: a provider's report, if any, comes in the first half minute.
 */
function Delivery({ challenge, wait }: { challenge: Challenge; wait: number }) {
  const { method, state, problem, delivery, deliveredTo } = challenge;
  if (method === "otp")
    return <p>Open your authenticator app and enter the 6-digit passcode that it shows.</p>;
  if (state === "delivery_failed")
    return (
      <Notice id="delivery" kind="bad">
        {undelivered({ problem, to: deliveredTo, waitMs: wait }, helpFor(challenge))}
      </Notice>
    );
  if (state === "sending_passcode" && !delivery)
    return (
      <p id="delivery" role="status" data-follow="1.5">
        We are sending a 7-digit passcode to {deliveredTo}.
        <Reload />
      </p>
    );
  return (
    <p id="delivery" role="status" {...(delivery === "sent" && wait > 0 && { "data-follow": "5" })}>
      {delivery === "delivered"
        ? "A 7-digit passcode was delivered to"
        : "We sent a 7-digit passcode to"}{" "}
      {deliveredTo}. It works for this login only.
    </p>
  );
}

const PasscodeField = ({ faults }: { faults: Faults }) => (
  <CodeField name="passcode" label="Passcode" faults={faults} />
);

const RecoveryField = ({ faults }: { faults: Faults }) => (
  <Field
    name="passcode"
    label="Recovery code"
    hint="16 letters and digits. Case and hyphens do not matter. Each code works once."
    faults={faults}
    autocomplete="off"
    autocapitalize="none"
    spellcheck="false"
    required
    autofocus
  />
);

const Goal = ({ c, recovery }: { c: PortalContext; recovery?: boolean }) => (
  <>
    <input type="hidden" name="to" value={goalOf(c)} />
    {recovery && <input type="hidden" name="with" value="recovery" />}
  </>
);

type Resending = { c: PortalContext; id: string; wait: number; soon: boolean };

/** `soon`: the wait (ms) is short enough for a countdown. */
function Resend({ c, id, wait, soon }: Resending) {
  const seconds = wait > 0 && soon ? String(Math.ceil(wait / 1000)) : undefined;
  return (
    <Form action={`/login/${id}/resend`}>
      <Goal c={c} />
      <button type="submit" class="second" {...(seconds && { "data-wait": seconds })}>
        Send a new passcode
      </button>
      <p class="quiet">
        {wait > 0 && (
          <span {...(seconds && { "data-wait-note": true })}>
            You can resend in {duration(wait)}.{" "}
          </span>
        )}
        Sending a new passcode cancels the old one.
      </p>
    </Form>
  );
}

/** How many ms until another passcode may be sent. */
async function waitOf(deps: CoreDeps, challengeId: string): Promise<number> {
  const userId = ownerOf(challengeId);
  return userId ? passcodeSendWait(deps, { userId, challengeId }) : 0;
}

/** The buttons to choose another method. */
const CHOICES: Record<Method, string> = {
  webauthn: "Use my security key or passkey",
  otp: "Use my authenticator app",
  sms: "Send a passcode to my phone",
};

function OtherMethods({ c, challenge }: { c: PortalContext; challenge: Challenge }) {
  if (!challenge.next.includes("method")) return null;
  const others = challenge.methods.filter((method) => method !== challenge.method);
  return (
    <>
      {others.map((other) => (
        <Form action={`/login/${challenge.id}/method`}>
          <Goal c={c} />
          <input type="hidden" name="method" value={other} />
          <button type="submit" class="second">
            {CHOICES[other]}
          </button>
        </Form>
      ))}
    </>
  );
}
