import type { EventFromLogic } from "xstate";
import type { Policy } from "../../../core/account/policy.ts";
import type { listAudit } from "../../../core/audit.ts";
import type { ProblemCode } from "../../../core/problem.ts";
import type { policyRolloutMachine as machine } from "../../../machines/policy-rollout.ts";
import { DAY_MS, MINUTE_MS } from "../../../units.ts";
import { workflowIds } from "../../../workflows/ids.ts";
import type { Answer, Call } from "../../support/client.ts";
import type { PathRules } from "../../support/paths.ts";
import { expectProblem } from "../../support/problems.ts";
import type { Stack } from "../../support/stack.ts";
import { until } from "../../support/until.ts";
import { endFlows, eventsOf, gatewayWith, historyLength } from "./people.ts";
import { POLICY, policyAccount } from "./policy-account.ts";
import type { Driven, Illegal } from "./walk.ts";

type Event = EventFromLogic<typeof machine>;
type Announcement = Event & { type: "ANNOUNCE" };
type Page = Awaited<ReturnType<typeof listAudit>>;

const GRACE_DAYS = 14;

const after = (delay: string) => `xstate.after.${delay}` as Event["type"];
const DRAFT = after("draftLifetime.policyRollout.drafted");
const FIRST_REMINDER = after("firstReminder.policyRollout.grace_period");
const LAST_REMINDER = after("lastReminder.policyRollout.grace_period");
const END_OF_GRACE = after("gracePeriod.policyRollout.grace_period");
const RECOUNT_INTERVAL = after("recountInterval.policyRollout.enforced");

const announcement = { type: "ANNOUNCE", enforceAfter: null, actorId: "", origin: {} } as const;

export const inputs = [{}];

export const rules: PathRules<typeof machine> = {
  events: [
    { ...announcement, requirement: "required", graceMs: 0 },
    { ...announcement, requirement: "required", graceMs: GRACE_DAYS * DAY_MS },
    { ...announcement, requirement: "phishing_resistant", graceMs: 0 },
    { ...announcement, requirement: "optional", graceMs: 0 },
    { type: "POLICY_PERSISTED" },
    { type: "POLICY_CONFLICT" },
    { type: "USERS_COUNTED", toGo: 0 },
    { type: "USERS_COUNTED", toGo: 1 },
    { type: "RECOUNT" },
    { type: "SUPERSEDE", requirement: "optional" },
    { type: "SUPERSEDE", requirement: "required" },
    { type: "OVERTAKEN", requirement: "optional" },
    { type: "OVERTAKEN", requirement: "required" },
    ...[DRAFT, FIRST_REMINDER, LAST_REMINDER, END_OF_GRACE, RECOUNT_INTERVAL].map(
      (type) => ({ type }) as Event,
    ),
  ],
  happens(snapshot, { type }) {
    const { remindedDaysBefore, change } = snapshot.context;
    // Reminders come in the order of time.
    if (type === FIRST_REMINDER) return remindedDaysBefore === undefined;
    if (type === LAST_REMINDER) return remindedDaysBefore === 3;
    if (type === END_OF_GRACE) return remindedDaysBefore === 1;
    // Without a grace period the policy is enforced as soon as it is written.
    if (type === "OVERTAKEN") return !snapshot.matches("enforcing") || change?.graceMs !== 0;
    return true;
  },
  keyOf: ({ value, status, context: { change, remindedDaysBefore } }) =>
    JSON.stringify(
      status === "done" ? value : [value, change?.requirement, change?.graceMs, remindedDaysBefore],
    ),
};

/** States in which this version is the account's policy. */
const OWN = ["grace_period", "enforced", "optional", "completed"];

/**
 * The second change of an account's policy. The gateway that began it has died. The first change
 * has a grace period of thirty days.
 */
export async function drive(stack: Stack): Promise<Driven<typeof machine>> {
  const { api, clock } = stack;
  const { flows } = stack.deps;
  const account = await policyAccount(stack);
  const { accountId, adminId, token, stale } = account;
  await account.change("required", 30);
  const workflowId = workflowIds.policyRollout(accountId, 2);
  await flows.startPolicyRollout({ userId: adminId, accountId, version: 2 });
  let announcedAt = 0;
  let late: (() => Promise<Answer<Policy>>) | undefined;
  let runId: string | undefined;
  let timed = false;

  const pass = (days: number) => stack.advance(announcedAt + days * DAY_MS - clock.now());
  const get = async <Body>(path: string, client = api) =>
    (await client.call<Body>("GET", path, { token: await token() })).body;
  const stateOf = async () => (await flows.policyRollout(accountId, 2))?.state;

  /** Does what these events need before the roll-out reads the users and the policy. */
  async function meanwhile(then: Event[]) {
    for (const event of then) {
      if (event.type === "USERS_COUNTED" && event.toGo === 0) await account.setUpMember();
      if (event.type === "OVERTAKEN") await account.overtake(event.requirement);
    }
  }

  const moves: Record<string, (event: Event, then: Event[]) => Promise<unknown>> = {
    async ANNOUNCE(event, then) {
      const { requirement, graceMs } = event as Announcement;
      const days = graceMs / DAY_MS;
      if (then.some(({ type }) => type === "POLICY_CONFLICT")) {
        const own = await account.changeSlowly(requirement, days);
        await account.change("optional");
        return expectProblem(await own(), "policy_conflict");
      }
      await meanwhile(then);
      late = await account.changeSlowly("required", 300);
      announcedAt = clock.now();
      return account.change(requirement, days);
    },
    async SUPERSEDE(event) {
      if (event.type === "SUPERSEDE") await account.changeAgain(event.requirement);
    },
    // Reading the policy when everyone has a key makes the roll-out count.
    async RECOUNT(_event, then) {
      await account.setUpMember();
      const changes = then.filter(({ type }) => type === "OVERTAKEN");
      const slow = gatewayWith(stack, {
        async movePolicyRollout(...args) {
          await meanwhile(changes);
          return flows.movePolicyRollout(...args);
        },
      });
      await get(POLICY, slow);
    },
    [DRAFT]: () => stack.advance(MINUTE_MS),
    [FIRST_REMINDER]: () => pass(GRACE_DAYS - 3),
    [LAST_REMINDER]: () => pass(GRACE_DAYS - 1),
    async [END_OF_GRACE](_event, then) {
      await meanwhile(then);
      await pass(GRACE_DAYS);
    },
    async [RECOUNT_INTERVAL](_event, then) {
      await meanwhile(then);
      await stack.advance(DAY_MS);
    },
  };

  return {
    async move(event, _from, to, then) {
      timed ||= event.type.startsWith("xstate.after");
      await moves[event.type]?.(event, then);
      // Waits before the policy is read, because reading may make the roll-out count users.
      await until(stateOf, (state) => state === to.value);
    },
    async shown() {
      const { requirement, enforceAfter, state } = await get<Policy>(POLICY);
      const reminders = await get<Page>("/v1/account/activity?type=multi_factor_reminder");
      return {
        ...{ rollout: await stateOf(), requirement, enforceAfter, state },
        reminders: reminders.events.length,
      };
    },
    expected({ value, context: { remindedDaysBefore } }) {
      const { requirement, enforceAfter } = account.written();
      const another = requirement === "optional" ? "optional" : "grace_period";
      return {
        ...{ rollout: value, requirement, enforceAfter },
        state: OWN.includes(value) ? value : another,
        reminders: remindedDaysBefore === undefined ? 0 : remindedDaysBefore === 3 ? 1 : 2,
      };
    },
    async illegal() {
      const refused = (request: string, call: Call, code: ProblemCode): Illegal[] =>
        (call.body ? ["PUT"] : ["GET", "PUT"]).map((method) => ({
          request: `${method} ${request}`,
          send: () =>
            api.call(method, POLICY, {
              ...(method === "PUT" && { body: { requirement: "required" } }),
              ...call,
            }),
          code,
        }));
      const own = { token: await token() };
      // The roll-out checks the administrator's session again before the change counts.
      const { idleMs } = stack.deps.config.limits.session;
      const isLive = clock.now() - announcedAt < idleMs;
      const lateCode = isLive ? "policy_conflict" : "session_expired";
      const nonsense = [
        { requirement: "sometimes" },
        { requirement: "optional", enforceAfter: { days: 7 } },
        { requirement: "required", enforceAfter: "2025-12-31" },
      ];
      const old = { token: stale.token, body: nonsense[2] };
      return [
        ...refused("by a member", await account.logInColleague(), "forbidden"),
        ...refused("without a session", {}, "unauthenticated"),
        ...refused("by an old session", old, stale.code()),
        ...nonsense.flatMap((body) =>
          refused(JSON.stringify(body), { ...own, body }, "invalid_request"),
        ),
        ...(late ? [{ request: "PUT too late", send: late, code: lateCode } as const] : []),
      ];
    },
    async traces() {
      // A change that comes too late may start another run, which ends at once.
      runId ??= (await stack.temporal.client.workflow.getHandle(workflowId).describe()).runId;
      return {
        policy: await get<Policy>(POLICY),
        events: await eventsOf(stack, { accountId }),
        history: await historyLength(stack, workflowId, { runId, tasks: !timed }),
      };
    },
    async end() {
      await late?.();
      await endFlows(stack, ...[1, 2, 3].map((n) => workflowIds.policyRollout(accountId, n)));
    },
  };
}
