import type { Child } from "hono/jsx";
import type { viewForSupport } from "../../core/support/user-overview.ts";
import { loginChallengeMachine } from "../../machines/login-challenge.ts";
import { otpEnrollmentMachine } from "../../machines/otp-enrollment.ts";
import { smsEnrollmentMachine } from "../../machines/sms-enrollment.ts";
import { webauthnEnrollmentMachine } from "../../machines/webauthn-enrollment.ts";
import type { ShownEvent } from "../../store/postgres/events/read-events.ts";
import { EventRows } from "../account/activity.tsx";
import { Time } from "../layout/parts.tsx";
import { METHOD_WORDS } from "../layout/words.ts";
import type { RequiredOf } from "../login/set-up.tsx";
import { Chart, words } from "./chart.tsx";

type Shown = {
  view: Awaited<ReturnType<typeof viewForSupport>>;
  /** What is required of the user, and from when. */
  by: RequiredOf;
  byWhom: (event: ShownEvent) => string;
  /** What Support can do; shown under the state. */
  children?: Child;
};

const FLOWS = {
  login_challenge: { title: "Login in progress", machine: loginChallengeMachine },
  sms_enrollment: { title: "SMS set-up in progress", machine: smsEnrollmentMachine },
  otp_enrollment: { title: "OTP set-up in progress", machine: otpEnrollmentMachine },
  webauthn_enrollment: {
    title: "Security key set-up in progress",
    machine: webauthnEnrollmentMachine,
  },
} as const;

/**
 * What Support sees of a user: state, devices (masked), what can be done, flows under way, each
 * with its folded chart, and events.
 */
export function SupportView({ view, by, byWhom, children }: Shown) {
  const { user, multiFactor, attemptsRemaining, attemptsGivenBack, flows, events } = view;
  return (
    <>
      <section class="card">
        <div class="head">
          <h2>State</h2>
          <span class={user.lockedAt ? "tag bad" : "tag good"}>
            {user.lockedAt ? "Locked" : "Not locked"}
          </span>
        </div>
        <p>
          Role: {user.role}; account: {user.accountName}. Multi-factor authentication is{" "}
          {multiFactor.enabled ? "enabled" : "not enabled"}. It is{" "}
          {by.required ? "required" : "not required"}
          {by.keyRequired && ", and it must be a security key or passkey"}
          {by.keyRequiredFrom && (
            <>
              , and must be a security key or passkey from <Time at={by.keyRequiredFrom} />
            </>
          )}
          {by.from && !by.keyRequiredFrom && (
            <>
              {" "}
              from <Time at={by.from} />
            </>
          )}
          . Passcode attempts left: {attemptsRemaining}. Recovery codes left:{" "}
          {multiFactor.recoveryCodes.remaining}.
          {attemptsGivenBack > 0 &&
            ` Attempts given back in the last 24 hours because the service was away: ${attemptsGivenBack}.`}
        </p>
        {user.lockedAt && (
          <p>
            Locked since <Time at={user.lockedAt} />.
          </p>
        )}
        <ul class="rows">
          {multiFactor.devices.map(({ type, name, phoneNumber, verified }) => (
            <li>
              <div>
                {METHOD_WORDS[type]}: {name ?? phoneNumber}{" "}
                <span class={verified ? "tag good" : "tag bad"}>
                  {verified ? "Verified" : "Not verified"}
                </span>
              </div>
            </li>
          ))}
        </ul>
      </section>
      {children}
      {flows.map(({ type, state, problem, expiresAt }) => (
        <section class="card">
          <h2>{FLOWS[type].title}</h2>
          <p>
            {problem && `Problem: ${problem.replaceAll("_", " ")}. `}
            {expiresAt && (
              <>
                Ends <Time at={expiresAt} />.
              </>
            )}
          </p>
          <details>
            <summary>Now: {words(state)}</summary>
            <Chart machine={FLOWS[type].machine} state={state} />
          </details>
        </section>
      ))}
      <section class="card">
        <h2>Recent activity</h2>
        <EventRows events={events} about={byWhom} />
      </section>
    </>
  );
}
