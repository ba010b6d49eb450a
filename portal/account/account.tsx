import type { Hono } from "hono";
import { clientInfoOf } from "../../api/http/client.ts";
import { requirementSchema } from "../../api/http/inputs.ts";
import { getPasskeyLogin, type PasskeyLogin } from "../../core/account/passkey-login.ts";
import { DEMANDS, getPolicy, LONGEST_GRACE_DAYS, type Policy } from "../../core/account/policy.ts";
import { changePolicy } from "../../core/account/roll-out.ts";
import type { CoreDeps } from "../../core/deps.ts";
import { Problem } from "../../core/problem.ts";
import { findRelyingParty } from "../../core/webauthn/relying-party.ts";
import { hasKey, hasSecondFactor } from "../../store/redis/sessions/session-records.ts";
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
import { REQUIREMENT_WORDS } from "../layout/words.ts";
import { PASSKEY_LOGIN, PASSKEY_LOGIN_TITLE } from "./passkey-login.tsx";

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
    const [policy, passkeys] = await Promise.all([
      getPolicy(deps, who.session),
      getPasskeyLogin(deps, who.session),
    ]);
    return accountPage(c, who, policy, passkeys);
  });

  app.get(FORM, async (c) => {
    const who = await recentlyLoggedInAs(c, deps, "administrator");
    const policy = await getPolicy(deps, who.session);
    // "Cancel" on the page "Require it now?" leads here, with what was chosen before.
    const now = requiredBy(c.req.query("now"));
    const requirement = now ?? policy.requirement;
    const days = now ? "0" : daysLeft(policy, deps.clock.now());
    const keys = findRelyingParty(deps.config) !== undefined;
    return requirementPage(c, who, policy, { requirement, days, keys });
  });

  takeForm(app, "/account", { at: FORM }, async (c) => {
    const { session } = await signedInAs(c, deps, "administrator");
    const requirement = requirementSchema.safeParse(field(c, "requirement"));
    if (!requirement.success)
      throw new Problem("invalid_request", "Choose what is required, or that it is optional.");
    const required = requiredBy(requirement.data);
    const days = required ? graceOf(field(c, "enforceAfter")) : 0;
    const policy = await getPolicy(deps, session);
    if (required && days === 0 && !isEnforced(policy, required) && !ticked(c, "sure"))
      return c.redirect(`${FORM}/now?requirement=${required}`, 303);
    const enforceAfter = days === 0 ? null : { days };
    const origin = clientInfoOf(c, deps.config.TRUSTED_PROXIES);
    await changePolicy(deps, session, { requirement: requirement.data, enforceAfter }, origin);
    return done(c, "/account", "The setting was saved.");
  });

  app.get(`${FORM}/now`, async (c) => {
    const who = await recentlyLoggedInAs(c, deps, "administrator");
    const policy = await getPolicy(deps, who.session);
    const requirement = requiredBy(c.req.query("requirement")) ?? "required";
    const { factor, without } = DEMANDS[requirement];
    const question = {
      title: "Require it now?",
      action: "/account",
      hidden: { requirement, enforceAfter: "0", sure: "yes" },
      button: "Require it now",
      cancel: `${FORM}?now=${requirement}`,
    };
    return confirmPage(
      c,
      who,
      question,
      <>
        <p>
          This will log out everyone who did not log in with {factor}
          {!MEETS[requirement](who.session) && ", including you"}. {policy.users[without]} of{" "}
          {policy.users.total} people have none and must add one at their next login.
        </p>
        <p>With a grace period nobody is logged out before it ends.</p>
      </>,
    );
  });
}

type Required = Exclude<Policy["requirement"], "optional">;

/** Whether the session has what the requirement asks for. */
const MEETS = { required: hasSecondFactor, phishing_resistant: hasKey };

/** The text if it names a requirement of some device. */
const requiredBy = (text?: string) =>
  text !== undefined && Object.hasOwn(DEMANDS, text) ? (text as Required) : undefined;

/** Whether the policy asks for as much already, so that nobody is logged out. */
const isEnforced = ({ requirement, state }: Policy, wanted: Required) =>
  state !== "grace_period" && (requirement === wanted || requirement === "phishing_resistant");

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

function accountPage(c: PortalContext, who: Who, policy: Policy, { allowed }: PasskeyLogin) {
  return page(
    c,
    { title: "Account settings", who },
    <>
      <h1>Account settings</h1>
      <Progress policy={policy} />
      <section class="card">
        <div class="head">
          <h2>{PASSKEY_LOGIN_TITLE}</h2>
          <a
            class="button second small"
            href={PASSKEY_LOGIN}
            aria-label={`Edit ${PASSKEY_LOGIN_TITLE}`}
          >
            ✎ Edit
          </a>
        </div>
        <p>{allowed ? "Allowed" : "Not allowed: users need their password, too"}</p>
      </section>
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

/** The form's initial choice, and whether users can have keys. */
type Choice = { requirement: Policy["requirement"]; days: string; keys: boolean };

function requirementPage(c: PortalContext, who: Who, policy: Policy, choice: Choice) {
  return cardPage(
    c,
    {
      title: TITLE,
      who,
      before: <YouToo policy={policy} keys={choice.keys} />,
    },
    <>
      <p>
        If required, everyone who does not have what is required by the end of the grace period is
        logged out then, and must set it up at their next login. Nobody else can do it for them.
      </p>
      {choice.keys && (
        <p>
          If a security key or passkey is required, passcodes by text message or from an app and
          recovery codes no longer log in anyone who has one. A second factor that is required
          before stays required during the grace period.
        </p>
      )}
      <PolicyForm choice={choice} faults={c.get("faults")} />
    </>,
  );
}

/** Warns administrators whom their own requirement would log out. */
function YouToo({ policy, keys }: { policy: Policy; keys: boolean }) {
  const nothing = policy.requirement !== "phishing_resistant" && policy.youMustSetUp;
  if (!nothing && !(keys && policy.youMustAddKey)) return null;
  return (
    <Notice>
      {nothing
        ? "You have no verified device. If you require it now, you will be logged out too."
        : "You have no security key or passkey. If you require one now, you will be logged out too."}{" "}
      You can <a href="/devices">add {nothing ? "a device" : "one"} first</a>.
    </Notice>
  );
}

const TITLE = "Account-wide two-factor authentication";

function PolicyForm({ choice, faults }: { choice: Choice; faults: Faults }) {
  // Where no address is known to bind keys to, the service refuses to require them.
  const choices = Object.keys(REQUIREMENT_WORDS).filter(
    (one): one is keyof typeof REQUIREMENT_WORDS =>
      one !== "phishing_resistant" || choice.keys || choice.requirement === one,
  );
  return (
    <Form action="/account">
      <fieldset>
        <legend>Two-factor authentication is</legend>
        {choices.map((requirement) => (
          <div class="check">
            <input
              type="radio"
              name="requirement"
              id={requirement}
              value={requirement}
              checked={requirement === (faults.typed?.requirement ?? choice.requirement)}
              required
            />
            <label for={requirement}>{REQUIREMENT_WORDS[requirement]}</label>
          </div>
        ))}
      </fieldset>
      <Field
        name="enforceAfter"
        label="Grace period in days"
        hint="Counted from when you save; 0 means now. Until it ends, people who lack what is required are reminded at each login; the others see it in their activity."
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

/** What users who are set up do or have. */
const SET_UP: Record<Policy["requirement"], string> = {
  optional: "are set up",
  required: "are set up",
  phishing_resistant: "have a security key or passkey",
};

/** The setting and the progress of its roll-out. A script updates it while the roll-out runs. */
function Progress({ policy }: { policy: Policy }) {
  const { state, requirement, users, enforceAfter, startedBy, startedAt } = policy;
  const runs = state !== "optional" && state !== "completed";
  const part = users.total === 0 ? 0 : Math.floor((users.configured / users.total) * 100);
  const progress = `${users.configured} of ${users.total} users ${SET_UP[requirement]} (${part} %).`;
  return (
    <section class="card">
      <div class="head">
        <h2>{TITLE}</h2>
        <a class="button second small" href={FORM} aria-label={`Edit ${TITLE}`}>
          ✎ Edit
        </a>
      </div>
      <p>{REQUIREMENT_WORDS[requirement]}</p>
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
