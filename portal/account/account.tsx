import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { requirementSchema } from "../../api/http/inputs.ts";
import { getPolicy, LONGEST_GRACE_DAYS, type Policy } from "../../core/account/policy.ts";
import { changePolicy } from "../../core/account/roll-out.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { DAY_MS } from "../../units.ts";
import { confirmPage } from "../layout/confirm.tsx";
import { done } from "../layout/flash.ts";
import {
  badFields,
  field,
  type PortalContext,
  type PortalEnv,
  takeForm,
  ticked,
} from "../layout/form.ts";
import { cardPage, page, type Who } from "../layout/layout.tsx";
import { Field, Form, Notice, Time } from "../layout/parts.tsx";
import { recentlyLoggedInAs, signedInAs } from "../layout/roles.ts";
import type { Faults } from "../layout/words.ts";

const FORM = "/account/requirement";

/** The default grace period when an account begins to require a second factor. */
const USUAL_GRACE_DAYS = 14;

/**
 * An administrator's account settings: whether a second factor is required, and the progress of its
 * roll-out.
 */
export function accountPages(app: Hono<PortalEnv>, deps: CoreDeps) {
  app.get("/account", async (c) => {
    const who = await signedInAs(c, deps, "administrator");
    return accountPage(c, who, await getPolicy(deps, who.session));
  });

  app.get(FORM, async (c) => {
    const who = await recentlyLoggedInAs(c, deps, "administrator");
    const policy = await getPolicy(deps, who.session);
    // "Cancel" on the page "Require it now?" leads here, with what was chosen before.
    const now = c.req.query("now") !== undefined;
    const requirement = now ? "required" : policy.requirement;
    const days = now ? "0" : daysLeft(policy, deps.clock.now());
    return requirementPage(c, who, policy, { requirement, days });
  });

  takeForm(app, "/account", { at: FORM }, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    const requirement = requirementSchema.safeParse(field(c, "requirement"));
    if (!requirement.success)
      throw new Problem("invalid_request", "Choose whether it is optional or required.");
    const days = requirement.data === "required" ? graceOf(field(c, "enforceAfter")) : 0;
    const policy = await getPolicy(deps, session);
    if (requirement.data === "required" && days === 0 && !isEnforced(policy) && !ticked(c, "sure"))
      return c.redirect(`${FORM}/now`, 303);
    const enforceAfter = days === 0 ? null : { days };
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    await changePolicy(deps, session, { requirement: requirement.data, enforceAfter }, origin);
    return done(c, "/account", "The setting was saved.");
  });

  app.get(`${FORM}/now`, async (c) => {
    const who = await recentlyLoggedInAs(c, deps, "administrator");
    const { users, youMustSetUp } = await getPolicy(deps, who.session);
    const question = {
      title: "Require it now?",
      action: "/account",
      hidden: { requirement: "required", enforceAfter: "0", sure: "yes" },
      button: "Require it now",
      cancel: `${FORM}?now`,
    };
    return confirmPage(
      c,
      who,
      question,
      <>
        <p>
          This will log out {users.toGo} of {users.total} people
          {youMustSetUp && ", including you"}. They must add a device at their next login.
        </p>
        <p>With a grace period nobody is logged out before it ends.</p>
      </>,
    );
  });
}

const isEnforced = ({ requirement, state }: Policy) =>
  requirement === "required" && state !== "grace_period";

/**
 * The default of the form's days: what is left of the grace period, so that saving does not end it.
 */
function daysLeft({ requirement, state, enforceAfter }: Policy, now: number): string {
  if (requirement === "optional") return String(USUAL_GRACE_DAYS);
  if (state !== "grace_period" || !enforceAfter) return "0";
  return String(Math.ceil((Date.parse(enforceAfter) - now) / DAY_MS));
}

/** The grace period as typed, in days; 0 if empty. Throws `invalid_request`. */
function graceOf(typed: string): number {
  const days = /^\d{0,4}$/.test(typed) ? Number(typed) : Number.NaN;
  if (days <= LONGEST_GRACE_DAYS) return days;
  throw badFields({ enforceAfter: `Enter a number of days from 0 to ${LONGEST_GRACE_DAYS}.` });
}

function accountPage(c: PortalContext, who: Who, policy: Policy) {
  return page(
    c,
    { title: "Account settings", who },
    <>
      <h1>Account settings</h1>
      <Progress policy={policy} />
      <p>
        <a href="/account/users">User List</a>
        <br />
        <a href="/account/activity">Activity of the account</a>
        <br />
        <a href="/account/webhooks">Webhooks</a>
        <br />
        <a href="/account/links">Linked accounts</a>
      </p>
    </>,
  );
}

/** The form's initial choice. */
type Choice = { requirement: Policy["requirement"]; days: string };

function requirementPage(c: PortalContext, who: Who, policy: Policy, choice: Choice) {
  return cardPage(
    c,
    {
      title: TITLE,
      who,
      before: policy.youMustSetUp && (
        <Notice>
          You have no verified device. If you require it now, you will be logged out too. You can{" "}
          <a href="/devices">add a device first</a>.
        </Notice>
      ),
    },
    <>
      <p>
        If required, everyone without a verified device is logged out when the grace period ends,
        and must add one at their next login. They must do it themselves.
      </p>
      <PolicyForm choice={choice} faults={c.get("faults")} />
    </>,
  );
}

const TITLE = "Account-wide two-factor authentication";

const REQUIREMENTS = {
  optional: "Optional",
  required: "Required for everyone",
  phishing_resistant: "Security key or passkey required for everyone",
} as const;

function PolicyForm({ choice, faults }: { choice: Choice; faults: Faults }) {
  return (
    <Form action="/account">
      <fieldset>
        <legend>Two-factor authentication is</legend>
        {(["optional", "required"] as const).map((requirement) => (
          <div class="check">
            <input
              type="radio"
              name="requirement"
              id={requirement}
              value={requirement}
              checked={requirement === (faults.typed?.requirement ?? choice.requirement)}
              required
            />
            <label for={requirement}>{REQUIREMENTS[requirement]}</label>
          </div>
        ))}
      </fieldset>
      <Field
        name="enforceAfter"
        label="Grace period in days"
        hint="Counted from when you save; 0 means now. Until it ends, people are reminded at each login."
        faults={faults}
        value={choice.days}
        class="number"
        inputmode="numeric"
        autocomplete="off"
      />
      <div class="actions">
        <button type="submit">Save Setting</button>
        <a href="/account">Cancel</a>
      </div>
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

/** The setting and the progress of its roll-out. A script updates it while the roll-out runs. */
function Progress({ policy }: { policy: Policy }) {
  const { state, requirement, users, enforceAfter, startedBy, startedAt } = policy;
  const runs = state !== "optional" && state !== "completed";
  const part = users.total === 0 ? 0 : Math.floor((users.configured / users.total) * 100);
  const progress = `${users.configured} of ${users.total} users are set up (${part} %).`;
  return (
    <section class="card">
      <div class="head">
        <h2>{TITLE}</h2>
        <a class="button second small" href={FORM} aria-label={`Edit ${TITLE}`}>
          ✎ Edit
        </a>
      </div>
      <p>{REQUIREMENTS[requirement]}</p>
      <div id="progress" {...(runs && { "data-follow": "5" })}>
        {state !== "optional" && (
          <p>
            <span class="tag good">{STATES[state]}</span>
          </p>
        )}
        <p role="status">{progress}</p>
        <progress max={users.total} value={users.configured} aria-label={progress} />
        {state === "grace_period" && enforceAfter && (
          <p>
            Enforced from <Time at={enforceAfter} />.
          </p>
        )}
      </div>
      {startedBy && startedAt && (
        <p class="quiet">
          Last changed by {startedBy.username}, <Time at={startedAt} />.
        </p>
      )}
    </section>
  );
}
