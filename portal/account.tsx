import type { Hono } from "hono";
import type { Deps } from "../api/deps.ts";
import { originOf } from "../api/origin.ts";
import { changePolicy, getPolicy, LONGEST_GRACE_DAYS, type Policy } from "../api/policy.ts";
import { Problem } from "../api/problem.ts";
import { requirementSchema } from "../api/schemas.ts";
import { field, type PortalContext, type PortalEnv } from "./form.ts";
import { page, type Who } from "./layout.tsx";
import { Fault, Field, Form, Notice, Time } from "./parts.tsx";
import { signedInAs } from "./roles.ts";
import { type Faults, faultsOf, NO_FAULTS } from "./words.ts";

const DAY_MS = 86_400_000;

/** An administrator's account settings: whether a second factor is required, and how far that is. */
export function accountPages(app: Hono<PortalEnv>, deps: Deps) {
  app.get("/account", async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    const policy = await getPolicy(deps, who.session);
    return accountPage(c, who, policy, NO_FAULTS, daysLeft(policy, deps.clock.now()));
  });

  app.post("/account", async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    const days = field(c, "enforceAfter");
    try {
      const requirement = requirementSchema.parse(field(c, "requirement"));
      const enforceAfter = requirement === "required" ? graceOf(days) : null;
      const origin = originOf(c, deps.config.TRUSTED_PROXIES);
      await changePolicy(deps, who.session, { requirement, enforceAfter }, origin);
      return c.redirect("/account?done", 303);
    } catch (error) {
      const policy = await getPolicy(deps, who.session);
      return accountPage(c, who, policy, faultsOf(error), days);
    }
  });
}

/** The days that are left of a grace period, so that saving the form again does not end it. */
function daysLeft({ state, enforceAfter }: Policy, now: number): string {
  if (state !== "grace_period" || !enforceAfter) return "0";
  return String(Math.ceil((Date.parse(enforceAfter) - now) / DAY_MS));
}

/** The grace period as typed; none for nothing or 0. */
function graceOf(days: string): { days: number } | null {
  if (/^0*$/.test(days)) return null;
  if (/^\d{1,4}$/.test(days)) return { days: Number(days) };
  const message = `Type a number of days from 0 to ${LONGEST_GRACE_DAYS}.`;
  throw new Problem("invalid_request", message, { errors: [{ path: "enforceAfter", message }] });
}

function accountPage(c: PortalContext, who: Who, policy: Policy, faults: Faults, days: string) {
  return page(
    c,
    { title: "Account settings", who, status: faults.status },
    <>
      <h1>Account settings</h1>
      {c.req.query("done") !== undefined && <Notice kind="good">The setting was saved.</Notice>}
      <Fault faults={faults} />
      <Progress policy={policy} />
      <section class="card">
        <h2>Require multi-factor authentication</h2>
        <p>
          Required, everybody without a verified device is logged out, and sets one up at the next
          login. Nobody can do that for somebody else.
        </p>
        {policy.youMustSetUp && (
          <Notice>
            You have no verified device yourself. Required at once, you are logged out as well and
            set one up at your next login. You can <a href="/devices">set it up first</a>.
          </Notice>
        )}
        <PolicyForm policy={policy} faults={faults} days={days} />
      </section>
      <p>
        <a href="/account/users">Users of the account</a>
        <br />
        <a href="/account/activity">Activity of the account</a>
        <br />
        <a href="/account/webhooks">Webhooks</a>
      </p>
    </>,
  );
}

function PolicyForm({ policy, faults, days }: { policy: Policy; faults: Faults; days: string }) {
  return (
    <Form action="/account">
      <fieldset>
        <legend>Multi-factor authentication is</legend>
        {(["optional", "required"] as const).map((requirement) => (
          <div class="check">
            <input
              type="radio"
              name="requirement"
              id={requirement}
              value={requirement}
              checked={requirement === policy.requirement}
              required
            />
            <label for={requirement}>
              {requirement === "optional" ? "Optional: everybody chooses" : "Required of everybody"}
            </label>
          </div>
        ))}
      </fieldset>
      <Field
        name="enforceAfter"
        label="Grace period in days"
        hint="0 enforces it at once. Until the end people are told at each login."
        faults={faults}
        value={days}
        class="number"
        inputmode="numeric"
        autocomplete="off"
      />
      <button type="submit">Save</button>
    </Form>
  );
}

const STATES: Record<Policy["state"], string> = {
  optional: "Optional",
  grace_period: "Grace period",
  enforcing: "Being enforced",
  enforced: "Enforced",
  completed: "Completed",
};

/** How far the roll-out is; a script keeps it up to date while it runs. */
function Progress({ policy }: { policy: Policy }) {
  const { state, users, enforceAfter, startedBy, startedAt } = policy;
  const runs = state !== "optional" && state !== "completed";
  const told = `${users.configured} of ${users.total} users have set it up`;
  return (
    <section class="card" id="progress" {...(runs && { "data-follow": "5" })}>
      <div class="head">
        <h2>Roll-out</h2>
        <span class={state === "optional" ? "tag" : "tag good"}>{STATES[state]}</span>
      </div>
      <p role="status">
        {told}; {users.toGo} to go.
      </p>
      <progress max={users.total} value={users.configured} aria-label={told} />
      {state === "grace_period" && enforceAfter && (
        <p>
          It is enforced from <Time at={enforceAfter} /> on.
        </p>
      )}
      {startedBy && startedAt && (
        <p class="quiet">
          Last changed by {startedBy.username}, <Time at={startedAt} />.
        </p>
      )}
    </section>
  );
}
