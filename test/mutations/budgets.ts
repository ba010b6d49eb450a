import type { Mutation } from "./mutation.ts";

/** The budgets of guesses and messages. */
export const budgetsMutations: Mutation[] = [
  {
    mistake: "a budget allows one more than its limit",
    file: "store/redis/budgets.ts",
    find: "if excess >= 0 then",
    replace: "if excess > 0 then",
    noticedBy: ["test/store/redis/budgets.test.ts"],
  },
  {
    mistake: "of two rules the looser one counts",
    file: "store/redis/budgets.ts",
    find: "wait = math.max(wait, freed + window - now)",
    replace: "wait = math.min(wait, freed + window - now)",
    noticedBy: ["test/store/redis/budgets.test.ts"],
  },
  {
    mistake: "what is given back stays spent",
    file: "store/redis/budgets.ts",
    find: "await redis.zRem(key, token);",
    replace: "await redis.zScore(key, token);",
    noticedBy: ["test/store/redis/budgets.test.ts"],
  },
  {
    mistake: "guesses from one address cost it nothing",
    file: "api/password-throttle.ts",
    find: "    { key: keys.addressPasswords(digest(deps, at)), rules: [{ limit: perAddress, windowMs }] },\n",
    replace: "",
    noticedBy: ["test/api/throttle.test.ts"],
  },
  {
    mistake: "strangers everywhere guess one user's password without end",
    file: "api/password-throttle.ts",
    find: "  if (!(await isKnownAddress(redis, known, digest(deps, at), { now, withinMs: KNOWN_MS })))",
    replace:
      "  if (await isKnownAddress(redis, known, digest(deps, at), { now, withinMs: KNOWN_MS }))",
    noticedBy: ["test/api/throttle.test.ts"],
  },
  {
    mistake: "an address stays known for ever",
    file: "store/redis/known-addresses.ts",
    find: "return at !== null && now - at <= withinMs;",
    replace: "return at !== null;",
    noticedBy: ["test/api/throttle.test.ts"],
  },
  {
    mistake: "PINs have no budget of the user",
    file: "api/sends.ts",
    find: 'return spend(deps, "pin", [ofUser, ...ofEveryMessage(deps, "pin", phoneNumber)]);',
    replace:
      'return spend(deps, "pin", [...ofEveryMessage(deps, "pin", phoneNumber), ...[ofUser].slice(1)]);',
    noticedBy: ["test/api/send-limits.test.ts", "test/api/sms-devices.test.ts"],
  },
  {
    mistake: "messages to one country are not bounded",
    file: "api/sends.ts",
    find: "anHour(config.SMS_PER_COUNTRY_AND_HOUR),",
    replace: "anHour(config.SMS_PER_HOUR),",
    noticedBy: ["test/api/send-limits.test.ts"],
  },
  {
    mistake: "messages to one number are not bounded",
    file: "api/sends.ts",
    find: "      anHour(numberSendsPerHour),\n    ),",
    replace: "      anHour(numberSendsPerHour * 1000),\n    ),",
    noticedBy: ["test/api/send-limits.test.ts"],
  },
  {
    mistake: "addresses for notices are changed without a bound",
    file: "api/email.ts",
    find: "limit: config.limits.addressChangesPerDay,",
    replace: "limit: config.limits.addressChangesPerDay * 100,",
    noticedBy: ["test/api/email.test.ts"],
  },
  {
    mistake: "a change of a policy that starts no roll-out costs one of the day's",
    file: "api/policy.ts",
    find: "await payIfDone(spent, () => flows.startPolicyRollout(rollout));",
    replace: "if (spent) await flows.startPolicyRollout(rollout);",
    noticedBy: ["test/attacks/day-budgets.test.ts"],
  },
  {
    mistake: "policies are changed without a bound",
    file: "api/policy.ts",
    find: "const start = (rollout: PolicyRolloutArgs) => startWithinBudget(deps, rollout);",
    replace: "const start = deps.flows.startPolicyRollout;",
    noticedBy: ["test/attacks/day-budgets.test.ts", "test/attacks/set-up-requests.test.ts"],
  },
  {
    mistake: "reading a policy asks its roll-out to count without a bound",
    file: "api/policy.ts",
    find: 'rollout?.next.includes("recount") && (await mayRecount(deps, account)))',
    replace: 'rollout?.next.includes("recount"))',
    noticedBy: ["test/attacks/day-budgets.test.ts"],
  },
  {
    mistake: "what was paid for and not done stays paid",
    file: "api/spend-all.ts",
    find: "if (!done) await spent.giveBack();",
    replace: "if (done) await spent.settle();",
    noticedBy: ["test/attacks/day-budgets.test.ts"],
  },
  {
    mistake: "an event is sent again without a bound",
    file: "api/webhook-deliveries.ts",
    find: "limit: config.limits.webhooks.resendsPerDay,",
    replace: "limit: config.limits.webhooks.resendsPerDay * 100,",
    noticedBy: ["test/attacks/day-budgets.test.ts"],
  },
];
