import type { Mutation } from "./mutation.ts";

const LABEL = "test/api/otp-label.test.ts";
const DEAD_ENDS = "test/portal/dead-ends.test.ts";
const NOTICES = "test/e2e/notices.test.ts";

/** The rules of set-up, and of what locked users are told. */
export const setupMutations: Mutation[] = [
  {
    mistake: "the barcode's label leaves out the device's nickname",
    file: "api/otp.ts",
    find: "cut(device, LABEL.device)",
    replace: '""',
    noticedBy: [LABEL],
  },
  {
    mistake: "a colon in a name parts the label elsewhere",
    file: "api/otp.ts",
    find: 'text.replaceAll(":", " ")',
    replace: "text",
    noticedBy: [LABEL],
  },
  {
    mistake: "the longest names make a URI that no barcode holds",
    file: "api/otp.ts",
    find: "points.length > most ?",
    replace: "points.length > 1000 ?",
    noticedBy: [LABEL],
  },
  {
    mistake: "every session of the user sees the secret of an unverified app again",
    file: "store/redis/set-ups.ts",
    find: "(await redis.get(keys.setUp(userId, deviceId))) === sessionId",
    replace: "(await redis.get(keys.setUp(userId, deviceId))) !== sessionId.repeat(2)",
    noticedBy: ["test/store/redis/set-ups.test.ts", DEAD_ENDS],
  },
  {
    mistake: "who began a set-up is remembered for another device of the user",
    file: "store/redis/keys.ts",
    find: "setUp: (userId: string, deviceId: string)",
    replace: 'setUp: (userId: string, _: string, deviceId = "")',
    noticedBy: ["test/store/redis/set-ups.test.ts"],
  },
  {
    mistake: "a wrong code takes the barcode away",
    file: "portal/otp.tsx",
    find: "own ? await sameSetup(deps, session, device) : undefined",
    replace:
      'own && c.get("faults").status === 200 ? await sameSetup(deps, session, device) : undefined',
    noticedBy: [DEAD_ENDS],
  },
  {
    mistake: "the whole number is shown to every session of the user",
    file: "portal/pin.tsx",
    find: "const shown = own ?",
    replace: "const shown = own || view ?",
    noticedBy: [DEAD_ENDS],
  },
  {
    mistake: "the page knows of no wait before another PIN",
    file: "store/redis/budgets.ts",
    find: "return Math.max(0, ...waits);",
    replace: "return Math.min(0, ...waits);",
    noticedBy: ["test/store/redis/budgets.test.ts"],
  },
  {
    mistake: "a PIN asked for too early is answered without the seconds",
    file: "api/sends.ts",
    find: "const soon = waitMs <= config.limits[kind].intervalMs;",
    replace: "const soon = false;",
    noticedBy: [DEAD_ENDS],
  },
  {
    mistake: "a passcode that still works is called lost after a change of method",
    file: "api/challenge-view.ts",
    find: 'if (view.state !== "delivery_failed" || view.problem !== "send_limit") return view;',
    replace: "if (view.state) return view;",
    noticedBy: ["test/api/challenges.test.ts", DEAD_ENDS],
  },
  {
    mistake: "nothing urges a user without recovery codes to make some",
    file: "portal/devices.tsx",
    find: 'session.scope === "full" && mine.recoveryCodes.remaining === 0 && <Urge />',
    replace: 'session.scope !== "full" && mine.recoveryCodes.remaining === 0 && <Urge />',
    noticedBy: [DEAD_ENDS],
  },
  {
    mistake: "an open session of a locked user shows nothing of the lock",
    file: "portal/layout.tsx",
    find: "of.who?.locked && <Locked",
    replace: "of.who?.locked === undefined && <Locked",
    noticedBy: [DEAD_ENDS],
  },
  {
    mistake: "any scheme is a link to Support",
    file: "config.ts",
    find: "if (url === undefined || bare === undefined) {",
    replace: "if (url === undefined) {",
    noticedBy: ["test/config.test.ts"],
  },
  {
    mistake: "the mail of a lock names no way to Support",
    file: "store/notices.ts",
    find: 'if (event.type === "account_locked")',
    replace: 'if (event.type === "account_unlocked")',
    noticedBy: [NOTICES],
  },
  {
    mistake: "who has just been unlocked by a right password is told to contact Support",
    file: "store/notices.ts",
    find: 'if (event.type === "account_unlocked" && event.actorId === null)',
    replace: 'if (event.type === "account_unlocked" && event.actorId === "")',
    noticedBy: ["test/activities/notify.test.ts"],
  },
  {
    mistake: "a mail says that the account requires what the role does",
    file: "activities/notify.ts",
    find: "return required ? { requiredBy: whoRequires(user, config) } : {};",
    replace: 'return required ? { requiredBy: "Your account" } : {};',
    noticedBy: ["test/activities/notify.test.ts"],
  },
  {
    mistake: "a mail calls an operator's doing that of another user",
    file: "store/notices.ts",
    find: "if (actorId === OPERATOR_ID)",
    replace: "if (userId === OPERATOR_ID)",
    noticedBy: ["test/activities/notify.test.ts"],
  },
  {
    mistake: "what Support did is mailed as a sign that the password is known",
    file: "store/notices.ts",
    find: "  if (isTheirs(event))\n    return [",
    replace: "  if (event.id > 0)\n    return [",
    noticedBy: ["test/activities/notify.test.ts"],
  },
  {
    mistake: "who must set up is told that the password alone logs in",
    file: "activities/notify.ts",
    find: "account && isRequired(requirementOf({ user, account }, config), clock.now());",
    replace: "!account;",
    noticedBy: ["test/activities/notify.test.ts"],
  },
  {
    mistake: "what another account's administrator did is called a colleague's",
    file: "portal/actors.ts",
    find: "if (actor.accountId !== reads.accountId)",
    replace: "if (actor.accountId === actorId)",
    noticedBy: ["test/portal/who-did-it.test.ts"],
  },
  {
    mistake: "each reload by Support is another look",
    file: "api/support.ts",
    find: "const key = reason ?",
    replace: "const key = event ?",
    noticedBy: ["test/portal/who-did-it.test.ts"],
  },
  {
    mistake: "a webhook waits for an event that never comes",
    file: "api/webhook-types.ts",
    find: ".array(z.enum(EVENT_TYPES, KNOWN_TYPES))",
    replace: ".array(z.string().max(KNOWN_TYPES.length))",
    noticedBy: ["test/portal/webhooks.test.ts"],
  },
];
